// Figures by unit, area or kind, sorted by any column.
import { ORDERS } from "./api.js";
import { byId, length, make } from "/static/accounts/ways.js";

const DAY = 86_400_000;
const COLUMNS = ["name", "reported", "filed", "handled", "on_time", "rate", "closed", "late", "rework", "median_minutes"];
const table = byId("figures");
const heads = [...table.querySelectorAll("th")];
const tabs = [...document.querySelectorAll("[data-by]")];
const day = (moment) => new Date(moment + 8 * 3_600_000).toISOString().slice(0, 10);
let by = "unit";
let sorted = { name: "reported", up: false };
let items = [];
let asking = 0;

async function load() {
  const mine = ++asking;
  const asked = new URLSearchParams({ by });
  if (byId("since").value) asked.set("since", `${byId("since").value}T00:00:00+08:00`);
  if (byId("until").value) asked.set("until", new Date(new Date(`${byId("until").value}T00:00:00+08:00`).getTime() + DAY).toISOString());
  try {
    const found = await qingxu.call("GET", `${ORDERS}/statistics?${asked}`);
    if (mine !== asking) return;
    byId("message").textContent = found.items.length ? "" : "这段时间没有派单。";
    items = found.items.map((each) => ({ ...each, rate: each.judged ? each.on_time / each.judged : null }));
    draw();
  } catch (problem) {
    if (mine === asking) qingxu.show(byId("message"), problem);
  }
}

function draw() {
  for (const head of heads) {
    if (head.dataset.name === sorted.name) head.setAttribute("aria-sort", sorted.up ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
  const sign = sorted.up ? 1 : -1;
  const value = (row) => row[sorted.name] ?? -Infinity;
  const compare = (a, b) => sign * (sorted.name === "name" ? a.name.localeCompare(b.name, "zh-CN") : value(a) - value(b));
  table.tBodies[0].replaceChildren(...[...items].sort(compare).map((row) => make("tr", {}, ...COLUMNS.map((name) => make("td", { className: name === "late" && row.late ? "bad" : "" }, words(row, name))))));
}

function words(row, name) {
  if (name === "rate") return row.rate === null ? "—" : `${(100 * row.rate).toFixed(1)}%`;
  if (name === "median_minutes") return row.median_minutes === null ? "—" : length(row.median_minutes);
  return String(row[name]);
}

for (const tab of tabs) {
  tab.addEventListener("click", () => {
    by = tab.dataset.by;
    for (const other of tabs) other.setAttribute("aria-pressed", String(other === tab));
    load();
  });
}
for (const head of heads) {
  const button = make("button", { type: "button" }, head.textContent);
  head.replaceChildren(button);
  button.addEventListener("click", () => {
    sorted = { name: head.dataset.name, up: sorted.name === head.dataset.name ? !sorted.up : head.dataset.name === "name" };
    draw();
  });
}
for (const input of [byId("since"), byId("until")]) input.addEventListener("change", load);
byId("since").value = day(Date.now() - 30 * DAY);
load();
