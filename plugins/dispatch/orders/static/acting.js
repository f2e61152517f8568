// What a person does with an order: dispatch in one tap, take, reply, and the other steps with their reasons.
import { merging } from "./merging.js";
import { ORDERS } from "./api.js";
import { byId, locate, make, preview, send } from "/static/accounts/ways.js";

const TONES = { close: "calm", file: "calm", resume: "calm", grant_extension: "calm", send_back: "danger", dismiss: "danger", return: "danger", force_close: "danger", refuse_extension: "danger" };
// What comes up most stands first.
const FIRST = ["take", "close", "send_back", "file", "dismiss"];
const KEYS = { take: "T", close: "C", send_back: "X", dismiss: "X", return: "X" };
// These have places of their own on the page.
const ELSEWHERE = ["dispatch", "reassign", "reply"];

export function acting(changed) {
  const form = byId("deciding");
  const { reason, minutes } = form.elements;
  const message = byId("message");
  const replying = byId("replying");
  const quick = JSON.parse(byId("work").dataset.reasons);
  let order = null;
  let armed = null;
  let place = null;
  let busy = false;
  let candidates = [];

  const rank = ({ verb }) => (FIRST.includes(verb) ? FIRST.indexOf(verb) : FIRST.length);
  const offered = () => order.verbs.filter((each) => !ELSEWHERE.includes(each.verb)).sort((a, b) => rank(a) - rank(b));
  const has = (...verbs) => order?.verbs.some((each) => verbs.includes(each.verb));

  function show(found) {
    if (order?.id !== found.id) {
      replying.reset();
      place = null;
      byId("locate").textContent = "获取现场定位";
      for (const each of replying.querySelectorAll(".shot b")) each.replaceChildren();
      reason.value = "";
    }
    order = found;
    armed = null;
    message.textContent = "";
    replying.hidden = !has("reply");
    sending();
    draw();
  }

  async function sending() {
    const box = byId("sending");
    box.hidden = !(has("dispatch", "reassign") || (has("file") && byId("work").hasAttribute("data-dispatch")));
    if (box.hidden) return;
    const of = order.id;
    byId("suggested").replaceChildren(make("p", { className: "quiet" }, "正在查询……"));
    byId("others").open = false;
    try {
      const found = await qingxu.call("GET", `${ORDERS}/${of}/candidates`);
      if (order.id !== of) return;
      candidates = found.items;
    } catch (problem) {
      byId("suggested").textContent = problem.detail;
      return;
    }
    const best = candidates.find((each) => each.suggested);
    const words = has("reassign") ? "改派" : "一键派单";
    const button = best && make("button", { type: "button", className: "primary wide one-tap", id: "one-tap" }, `${words}：${best.name}`, make("kbd", {}, "D"), make("small", {}, `在办 ${best.open_orders} 件`));
    button?.addEventListener("click", () => assign({}));
    byId("suggested").replaceChildren(has("reassign") ? make("p", { className: "quiet" }, `现派给 ${order.handler_name}`) : button ?? make("p", { className: "quiet" }, "没有适用的派单规则，请在下面选择。"));
    if (!best) byId("others").open = true;
    offer("");
  }

  function offer(text) {
    byId("candidates").replaceChildren(...candidates.filter((each) => each.name.includes(text)).slice(0, 60).map((each) => {
      const button = make("button", { type: "button" }, make("span", {}, each.name), make("small", {}, `${each.title} · 在办 ${each.open_orders}`));
      button.addEventListener("click", () => assign({ [each.kind]: each.id }));
      return make("li", {}, button);
    }));
  }

  function draw() {
    const all = offered();
    byId("asking").hidden = !armed;
    byId("minutes").hidden = byId("minutes-label").hidden = armed !== "ask_extension";
    byId("reasons").replaceChildren(...(quick[armed] ?? []).map((words) => {
      const chip = make("button", { type: "button", className: "chip" }, words);
      chip.addEventListener("click", () => { reason.value = reason.value ? `${reason.value}；${words}` : words; });
      return chip;
    }));
    if (armed) {
      const title = all.find((each) => each.verb === armed).title;
      const cancel = make("button", { type: "button", className: "plain" }, "取消");
      cancel.addEventListener("click", disarm);
      byId("verbs").replaceChildren(make("button", { className: `verb ${TONES[armed] ?? ""}`, id: "send" }, `提交：${title}`), cancel);
      return;
    }
    byId("verbs").replaceChildren(...all.map((each) => {
      const button = make("button", { type: "button", className: `verb ${TONES[each.verb] ?? ""}`, dataset: { verb: each.verb } }, each.title, KEYS[each.verb] && make("kbd", {}, KEYS[each.verb]));
      button.addEventListener("click", () => arm(each));
      return button;
    }));
  }

  function arm(each) {
    if (busy) return;
    if (each.verb === "merge") return mergeInto(order);
    if (!each.needs_reason && each.verb !== "close") return step(each.verb);
    armed = each.verb;
    message.textContent = "";
    draw();
    reason.focus();
  }

  function disarm() {
    if (!armed) return false;
    armed = null;
    draw();
    return true;
  }

  async function ask(address, body, words) {
    if (busy) return;
    busy = true;
    form.classList.add("busy");
    message.textContent = "";
    try {
      const after = await send("POST", address, body, order.etag);
      busy = false;
      reason.value = "";
      changed(after);
      message.textContent = words;
      message.classList.add("good");
    } catch (problem) {
      busy = false;
      if (["stale_version", "order_taken", "conflict"].includes(problem.code)) {
        await changed(null);
        qingxu.show(message, problem.code === "stale_version" ? { detail: "派单刚被他人更新，已重新载入，请确认后再操作。" } : problem);
      } else qingxu.show(message, problem);
    }
    form.classList.remove("busy");
  }

  const assign = (target) => ask(`${ORDERS}/${order.id}/dispatch`, target, "已派单。");
  const mergeInto = merging((asked) => ask(`${ORDERS}/${order.id}/merge`, asked, "已并入这个派单。"));
  const step = (verb) => (verb === "take"
    ? ask(`${ORDERS}/${order.id}/take`, {}, "已接单。")
    : ask(`${ORDERS}/${order.id}/steps`, { verb, reason: reason.value.trim(), minutes: verb === "ask_extension" ? Number(minutes.value) : 0 }, "已办理。"));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (armed) step(armed);
  });
  byId("find-candidate").addEventListener("input", (event) => offer(event.target.value.trim()));
  for (const shot of replying.querySelectorAll(".shot input")) preview(shot);

  async function find() {
    byId("locate").textContent = "正在定位……";
    try {
      place = await locate();
      byId("locate").textContent = `已定位，精度 ${Math.round(place.accuracy)} 米`;
    } catch (problem) {
      byId("locate").textContent = problem.detail;
    }
  }
  byId("locate").addEventListener("click", find);
  replying.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!place && order.proof.includes("place")) await find();
    const body = new FormData();
    body.set("metadata", JSON.stringify({ note: byId("note").value.trim(), ...place }));
    for (const stage of ["before", "after"]) for (const file of replying.elements[stage].files) body.append(stage, file);
    ask(`${ORDERS}/${order.id}/replies`, body, "回单已提交，等待核查。");
  });

  return {
    show,
    disarm,
    /** Take up the first of these verbs that the person may use now. */
    key(...verbs) {
      if (!order) return;
      const each = offered().find((one) => verbs.includes(one.verb));
      if (each) arm(each);
    },
    dispatch: () => byId("one-tap")?.click(),
    reply: () => !replying.hidden && byId("note").focus(),
  };
}
