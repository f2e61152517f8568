// Lists of cases that wait for a hand-over and of those that were handed over, each with what may be done with it.
import { byId, instant, make, send } from "/static/accounts/ways.js";

const HAND_OVERS = "/api/v1/evidence/hand-overs";
const REFRESH = 15_000;

const page = byId("handing");
const mayHandOver = page.hasAttribute("data-hand-over");
const mayReceive = page.hasAttribute("data-receive");
const tabs = [...page.querySelectorAll("[data-list]")];
const records = byId("records");

let cursor = null;
let shown = new Map(); // id -> the record as it was drawn

const chosen = () => tabs.find((tab) => tab.getAttribute("aria-pressed") === "true");

async function load({ onwards = false } = {}) {
  const tab = chosen();
  const address = `${tab.dataset.address}&limit=30${onwards && cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
  let found;
  try {
    found = await qingxu.call("GET", address);
  } catch (problem) {
    tell(problem.detail, true);
    return;
  }
  if (tab !== chosen()) return;
  cursor = found.next_cursor;
  byId("more").hidden = !cursor;
  draw(found.items, onwards);
  byId("empty").textContent = tab.dataset.empty;
  byId("empty").hidden = shown.size > 0;
}

/** Draw what changed and leave the rest alone, so that nothing that somebody types is lost. */
function draw(rows, onwards) {
  const before = shown;
  shown = new Map(onwards ? before : []);
  for (const row of rows) {
    const drawn = before.get(row.id);
    const same = drawn && drawn.etag === row.etag;
    shown.set(row.id, same ? drawn : { etag: row.etag, item: "package" in row ? handed(row) : waiting(row) });
  }
  const wanted = Array.from(shown.values(), (each) => each.item);
  for (const item of [...records.children]) if (!wanted.includes(item)) item.remove();
  wanted.forEach((item, place) => { if (records.children[place] !== item) records.insertBefore(item, records.children[place] ?? null); });
}

function tell(sentence, bad = false) {
  const place = byId("told");
  place.textContent = sentence;
  place.hidden = !sentence;
  place.classList.toggle("bad", bad);
}

// --- A case that waits ---

function waiting(row) {
  const kinds = [["penalty", "处罚证据"], ["lead", "案件线索"]].map(([kind, title]) => {
    const radio = make("input", { type: "radio", name: "kind", value: kind, required: true, checked: kind === (row.penalty ? "penalty" : "lead") });
    radio.disabled = kind === "penalty" && !row.penalty;
    return make("label", { className: "radio" }, radio, title);
  });
  const form = make("form", { className: "act" },
    make("fieldset", {}, make("legend", {}, "移送为"), ...kinds),
    field("移送事由", "purpose", "如：多次混投，拒不改正"),
    field("接收单位", "recipient", "如：区综合行政执法局", localStorage.getItem("qingxu-recipient") ?? ""),
    make("button", { className: "primary" }, "移送"), message());
  submitting(form, async (told) => {
    await send("POST", `/api/v1/evidence/cases/${row.id}/hand-over`, told, row.etag);
    localStorage.setItem("qingxu-recipient", told.recipient);
    return `${row.number} 已移送，移送包正在制作。`;
  });
  const picture = row.thumbnail && make("img", { src: row.thumbnail, alt: "取证照片（已脱敏）", width: 132, height: 99, loading: "lazy" });
  return make("li", { className: "card" },
    head(row.number, `${row.violation_title}　${row.point_name}`, row.penalty ? "建议处罚" : "不予处罚"),
    make("div", { className: "inside" }, picture, make("p", {}, `首次发现 ${instant(row.first_at)}，${row.captures_count} 次取证。`,
      row.legal_complete ? "" : "取证设备法定资料不全，只能作为线索。")),
    fold("办理移送", form));
}

// --- A case that was handed over ---

function handed(row) {
  const pack = row.package;
  const facts = [
    ["接收单位", row.recipient],
    ["移送事由", row.purpose],
    ["移送人", `${row.made_by_name}，${instant(row.made_at)}`],
    pack && ["移送包", `${pack.files} 个文件，${(pack.size / 1e6).toFixed(1)} MB`],
    pack && ["SHA-256", pack.sha256],
    pack && ["SM3", pack.sm3],
    pack && ["签名密钥指纹", pack.fingerprint],
    row.missing.length && ["尚缺", row.missing.join(" ")],
    row.failure && ["失败原因", row.failure],
    row.receipt && ["签收", `${row.receipt.unit} ${row.receipt.name}，${instant(row.receipt.at)}${row.receipt.note ? `，${row.receipt.note}` : ""}`],
    row.receipt && ["回执 SHA-256", row.receipt.hash],
  ].filter(Boolean);
  return make("li", { className: "card" },
    head(row.case_number, `${row.violation_title}　${row.kind_title}`, row.state_title),
    make("dl", { className: "facts" }, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))),
    pack && (mayReceive || mayHandOver) ? fold("下载移送包", fetching(row)) : null,
    mayReceive && ["made", "handed_over"].includes(row.state) ? fold("签收", receiving(row)) : null,
    mayHandOver && row.state === "failed" ? retrying(row) : null);
}

/** The browser itself fetches the package, however large; the server refuses whoever gives no reason. */
function fetching(row) {
  const form = make("form", { className: "act", method: "get", action: `${HAND_OVERS}/${row.id}/package`, target: "_blank" },
    field("下载原因（将被记录）", "purpose", "如：立案调查"), make("button", { className: "primary" }, "下载"));
  form.addEventListener("submit", () => setTimeout(load, 2000));
  return form;
}

function receiving(row) {
  const form = make("form", { className: "act" },
    field("签收单位", "unit", "", row.recipient), field("备注（可不填）", "note", "如：已核验，无改动", "", false),
    make("button", { className: "primary" }, "确认签收"), message());
  submitting(form, async (told) => {
    await send("POST", `${HAND_OVERS}/${row.id}/receipt`, told, row.etag);
    return `${row.case_number} 已签收。`;
  });
  return form;
}

function retrying(row) {
  const form = make("form", { className: "act" }, make("button", { className: "primary" }, "重新制作"), message());
  submitting(form, async () => {
    await send("POST", `${HAND_OVERS}/${row.id}/retry`, undefined, row.etag);
    return "正在重新制作移送包。";
  });
  return form;
}

// --- Parts ---

const head = (number, title, state) =>
  make("header", {}, make("h2", {}, number), make("p", {}, title), make("i", { className: "tag" }, state));
const fold = (title, inside) => make("details", {}, make("summary", {}, title), inside);
const message = () => Object.assign(make("p", { className: "message" }), { role: "alert" });

function field(title, name, placeholder, value = "", required = true) {
  const input = make("input", { name, placeholder, value, required, maxLength: 200, autocomplete: "off" });
  return make("label", {}, title, input);
}

/** Send a form by `act`, which returns what to tell; a stale record is read again and the form stays. */
function submitting(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const place = form.querySelector(".message");
    button.disabled = true;
    place.textContent = "";
    try {
      tell(await act(Object.fromEntries(new FormData(form))));
      await load();
    } catch (problem) {
      qingxu.show(place, problem);
      if (problem.code === "stale_version") await load();
    }
    button.disabled = false;
  });
}

for (const tab of tabs) {
  tab.addEventListener("click", () => {
    for (const each of tabs) each.setAttribute("aria-pressed", String(each === tab));
    cursor = null;
    draw([], false);
    tell("");
    load();
  });
}
byId("more").addEventListener("click", () => load({ onwards: true }));
// Whoever has turned to the next pages keeps them; the first page comes anew.
setInterval(() => { if (!document.hidden && shown.size <= 30) load(); }, REFRESH);
load();
