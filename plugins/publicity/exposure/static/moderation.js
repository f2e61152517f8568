/* The moderators' desk. All that people wrote goes in as text, never as HTML. */
"use strict";
const at = (id) => document.getElementById(id);
const base = "/api/v1/exposures";
let current = null;
let cursor = null;
let drawn = { number: 0, boxes: [] };

const make = (tag, text = "", values = {}) => Object.assign(document.createElement(tag), { textContent: text }, values);
const local = (time) => new Date(time).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
const ask = async (method, address, body) => {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["If-Match"] = `"${current.etag}"`;
  const answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }).catch(() => null);
  if (!answer) throw new Error("没有网络，请稍后再试。");
  const told = await answer.json();
  if (!answer.ok) throw new Error([told.detail, ...Object.values(told.fields || {}).flat()].join(" "));
  return told;
};
const say = (words, good = false) => { at("message").textContent = words; at("message").classList.toggle("good", good); };

const load = async (fresh) => {
  if (fresh) { cursor = null; at("items").replaceChildren(); }
  const query = new URLSearchParams({ limit: "20" });
  if (at("state").value) query.set("state", at("state").value);
  if (cursor) query.set("cursor", cursor);
  try {
    const page = await ask("GET", `${base}?${query}`);
    cursor = page.next_cursor;
    at("items").append(...page.items.map(line));
    at("more").hidden = !cursor;
    at("list-message").textContent = at("items").children.length ? "" : "没有这种状态的曝光。";
  } catch (error) { at("list-message").textContent = error.message; }
};
const line = (each) => {
  const item = make("li");
  const button = make("button", "", { type: "button" });
  button.dataset.id = each.id;
  button.append(make("b", `${each.category_title} · ${each.point_name}`), make("small", `${local(each.reported_at)} · ${each.state_title}${each.hidden ? " · 已隐藏" : ""}${each.supports ? ` · ${each.supports} 人附议` : ""}`), make("small", each.text.slice(0, 60)));
  button.addEventListener("click", () => open(each.id));
  item.append(button);
  return item;
};
const open = async (id) => {
  say("");
  try { show(await ask("GET", `${base}/${id}`)); at("title").focus(); } catch (error) { at("list-message").textContent = error.message; }
};

const show = (each) => {
  current = each;
  at("opened").hidden = false;
  at("drawing").hidden = true;
  at("title").textContent = `${each.category_title} ${each.number}`;
  at("facts").textContent = [each.point_name, local(each.reported_at), each.state_title, each.named ? "实名上报" : "匿名上报", each.hidden ? "已隐藏" : "", each.published_at ? "已公示" : "", each.alert_number && `预警 ${each.alert_number}`].filter(Boolean).join(" · ");
  at("category").value = each.category;
  at("text").value = each.text;
  at("original").querySelector("p").textContent = each.original_text;
  for (const [id, words] of [["again", each.asked_again], ["rating", each.stars ? `${"★".repeat(each.stars)} ${each.rating}` : ""]]) {
    at(id).hidden = !words;
    at(id).querySelector("p").textContent = words;
  }
  at("clip").hidden = !each.clip;
  at("clip").firstElementChild.href = `${base}/${each.id}/clip`;
  at("photos").replaceChildren(...each.photos.map(picture));
  at("steps").replaceChildren(...each.steps.map((step) => { const item = make("li"); item.append(make("time", local(step.at)), make("span", step.text)); return item; }));
  at("checked-row").hidden = each.state !== "handled";
  at("checked").checked = false;
  at("ways").replaceChildren(...ways(each));
  for (const button of at("items").querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.id === each.id));
};
const picture = (photo, number) => {
  const figure = make("figure");
  const caption = make("figcaption");
  if (photo.ready) {
    figure.append(make("img", "", { src: `${base}/${current.id}/photos/${number}${photo.masked ? "/masked" : ""}`, alt: `照片 ${number + 1}` }));
  }
  const words = photo.masked ? `已遮挡 ${photo.faces} 张人脸` : photo.ready ? "尚未脱敏，不会对外显示" : "正在处理";
  const draw = make("button", photo.boxes.length ? `涂黑（${photo.boxes.length}）` : "涂黑", { type: "button", disabled: !photo.ready });
  draw.addEventListener("click", () => startDrawing(number));
  const choose = make("label", "", { className: "check" });
  const box = make("input", "", { type: "checkbox", value: String(number), disabled: !photo.masked });
  box.className = "publish";
  choose.append(box, "公示");
  caption.append(make("span", words), draw);
  if (current.state === "handled") caption.append(choose);
  figure.append(caption);
  return figure;
};

const act = async (method, tail, body) => {
  try {
    show(await ask(method, `${base}/${current.id}${tail}`, body));
    say("已保存。", true);
    at("reason").value = "";
    load(true);
  } catch (error) { say(error.message); }
};
const ways = (each) => {
  const reason = () => ({ reason: at("reason").value });
  const chosen = () => [...document.querySelectorAll(".publish:checked")].map((box) => Number(box.value));
  const all = [
    ["受理并立案", ["received"], () => act("POST", "/accept"), "primary"],
    ["同意重办", ["reopening"], () => act("POST", "/accept"), "primary"],
    ["不同意重办", ["reopening"], () => act("POST", "/decline", reason())],
    ["不予受理", ["received"], () => act("POST", "/reject", reason())],
    ["恢复审核", ["rejected"], () => act("POST", "/restore")],
    ["公示", each.hidden || each.published_at ? [] : ["handled"], () => act("POST", "/publish", { text: at("text").value, photos: chosen(), checked: at("checked").checked }), "primary"],
    ["撤下公示", each.published_at ? [each.state] : [], () => act("POST", "/withdraw", reason())],
    [each.hidden ? "取消隐藏" : "隐藏", [each.state], () => act("POST", each.hidden ? "/show" : "/hide", reason())],
  ];
  return all.filter(([, states]) => states.includes(each.state)).map(([words, , work, look = "plain"]) => {
    const button = make("button", words, { type: "button", className: look });
    button.addEventListener("click", work);
    return button;
  });
};

const startDrawing = (number) => {
  drawn = { number, boxes: current.photos[number].boxes.map((box) => [...box]) };
  at("picture").src = `${base}/${current.id}/photos/${number}`;
  at("drawing").hidden = false;
  drawBoxes();
};
const drawBoxes = () => {
  for (const each of at("canvas").querySelectorAll(".box")) each.remove();
  for (const [left, top, right, bottom] of drawn.boxes) {
    const box = make("div", "", { className: "box" });
    Object.assign(box.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
    at("canvas").append(box);
  }
};
const share = (event) => {
  const frame = at("canvas").getBoundingClientRect();
  const inside = (value) => Math.min(1, Math.max(0, value));
  return [inside((event.clientX - frame.left) / frame.width), inside((event.clientY - frame.top) / frame.height)];
};
at("canvas").addEventListener("dragstart", (event) => event.preventDefault());
at("canvas").addEventListener("pointerdown", (event) => {
  event.preventDefault();
  at("canvas").setPointerCapture(event.pointerId);
  const [x, y] = share(event);
  drawn.boxes.push([x, y, x, y]);
  const move = (moved) => {
    const [to, down] = share(moved);
    drawn.boxes[drawn.boxes.length - 1] = [Math.min(x, to), Math.min(y, down), Math.max(x, to), Math.max(y, down)];
    drawBoxes();
  };
  at("canvas").addEventListener("pointermove", move);
  at("canvas").addEventListener("pointerup", () => {
    at("canvas").removeEventListener("pointermove", move);
    drawn.boxes = drawn.boxes.filter(([left, top, right, bottom]) => right - left > .005 && bottom - top > .005);
    drawBoxes();
  }, { once: true });
});
at("clear-boxes").addEventListener("click", () => { drawn.boxes = []; drawBoxes(); });
at("close-drawing").addEventListener("click", () => { at("drawing").hidden = true; });
at("save-boxes").addEventListener("click", () => act("PUT", `/photos/${drawn.number}/boxes`, { boxes: drawn.boxes }));
at("save").addEventListener("click", () => {
  const changes = { text: at("text").value };
  if (at("category").value !== current.category) changes.category = at("category").value;
  act("PATCH", "", changes);
});
at("state").addEventListener("change", () => load(true));
at("more").addEventListener("click", () => load(false));
load(true);
const wanted = new URLSearchParams(location.search).get("exposure");
if (wanted && /^[0-9a-f]{24}$/.test(wanted)) open(wanted);
