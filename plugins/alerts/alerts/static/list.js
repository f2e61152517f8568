// The list: one tab at a time, with what is picked for a batch.
import { search as makeSearch } from "./search.js";
import { ALERTS } from "./api.js";
import { ago, byId, chips, dialog, left, make } from "/static/accounts/ways.js";

const REFRESH = 15_000;
const PAGE = 50;

export function list({ open, upkeep }) {
  const place = byId("alerts");
  const message = byId("queue-message");
  const more = byId("more");
  const may = byId("work").hasAttribute("data-handle");
  const tabs = [...document.querySelectorAll(".tabs button")];
  const batch = new Set();
  const search = makeSearch(() => { cursor = null; load(); });
  let tab = tabs[0];
  let cursor = null;
  let marked = null;
  let turn = 0; // of several answers under way the last one asked for counts
  let shown = new Map(); // id -> row

  function say(words) {
    message.textContent = words;
    message.hidden = !words;
  }

  const isList = () => !["codes", "quiet"].includes(tab.dataset.tab);

  async function load(onwards = false) {
    if (!isList()) return;
    const asked = tab.dataset.tab === "search" ? search.query() : new URLSearchParams(tab.dataset.query);
    asked.set("limit", PAGE);
    if (onwards && cursor) asked.set("cursor", cursor);
    const mine = ++turn;
    let found;
    try {
      found = await qingxu.call("GET", `${ALERTS}?${asked}`);
    } catch (problem) {
      if (mine === turn) say(problem.detail);
      return;
    }
    if (mine !== turn) return;
    cursor = found.next_cursor;
    more.hidden = !cursor;
    shown = new Map([...(onwards ? shown : []), ...found.items.map((row) => [row.id, row])]);
    for (const id of batch) if (!shown.has(id)) batch.delete(id);
    draw();
  }

  function draw() {
    const focused = document.activeElement?.closest?.("#alerts li")?.dataset.id;
    place.replaceChildren(...Array.from(shown.values(), card));
    say(shown.size ? "" : "这里没有事件。");
    paint();
    if (focused) place.querySelector(`[data-id="${focused}"] .card`)?.focus({ preventScroll: true });
  }

  function card(row) {
    const tags = [
      row.due_at && make("i", { className: row.overdue ? "tag late" : "tag calm" }, left(row.due_at)),
      row.picture_count > 0 && make("i", { className: "tag calm" }, `图 ${row.picture_count}`),
      row.order_number && make("i", { className: "tag calm" }, "有派单"),
    ];
    const button = make("button", { type: "button", className: "card" },
      make("span", { className: `dot s${row.severity}`, title: row.severity_title }),
      make("span", { className: "words" },
        make("b", {}, make("span", {}, row.kind_name, row.count > 1 && make("em", {}, ` ×${row.count}`)), make("small", {}, row.state_title)),
        make("span", {}, row.point_name || "位置见详情"),
        make("span", { className: "foot-line" }, make("time", { dateTime: row.raised_at }, ago(row.raised_at)), make("span", {}, row.source_title), ...tags)));
    button.addEventListener("click", () => open(row.id));
    const parts = [button];
    if (may && ["unconfirmed", "raised", "dispatched"].includes(row.state)) {
      const box = make("input", { type: "checkbox", checked: batch.has(row.id), ariaLabel: `选中 ${row.number}` });
      box.addEventListener("change", () => pick(row.id, box.checked));
      parts.unshift(make("label", { className: "pick" }, box));
    }
    return make("li", { dataset: { id: row.id } }, ...parts);
  }

  function pick(id, on) {
    if (on) batch.add(id);
    else batch.delete(id);
    paint();
  }

  function paint() {
    for (const item of place.children) {
      const here = item.dataset.id === marked;
      item.classList.toggle("marked", here);
      const button = item.querySelector(".card");
      if (here) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    byId("batch").hidden = batch.size === 0;
    byId("batch").querySelector("span").textContent = `已选 ${batch.size} 件`;
  }

  async function count() {
    try {
      const found = await qingxu.call("GET", `${ALERTS}/counts`);
      for (const each of tabs) {
        const badge = each.querySelector(".badge");
        if (!badge) continue;
        const number = found[each.dataset.tab];
        badge.textContent = number >= 1000 ? "999+" : number;
        badge.hidden = !number;
        badge.classList.toggle("late", each.dataset.tab === "overdue");
      }
    } catch {
      // the list itself says what is wrong
    }
  }

  let verb = "";
  const ask = () => dialog(byId("batch-dialog"), async () => {
    const { items } = await qingxu.call("POST", `${ALERTS}/bulk`, { ids: [...batch], verb, reason: byId("batch-reason").value.trim() });
    const failed = items.filter((each) => !each.done);
    batch.clear();
    await load();
    count();
    say(failed.length ? `${items.length - failed.length} 件已办，${failed.length} 件未办：${failed[0].reason}` : `${items.length} 件已办。`);
  });
  for (const button of byId("batch").querySelectorAll("[data-verb]")) {
    button.addEventListener("click", () => {
      verb = button.dataset.verb;
      byId("batch-title").textContent = `${button.textContent} ${batch.size} 件`;
      byId("batch-reason").value = "";
      chips(byId("batch-dialog").querySelector(".chips"), JSON.parse(byId("work").dataset.reasons)[verb], byId("batch-reason"));
      ask();
    });
  }
  byId("batch-none").addEventListener("click", () => { batch.clear(); draw(); });

  for (const each of tabs) {
    each.addEventListener("click", () => {
      tab = each;
      for (const other of tabs) other.setAttribute("aria-pressed", String(other === each));
      byId("search").hidden = each.dataset.tab !== "search";
      cursor = null;
      batch.clear();
      paint();
      if (isList()) return load();
      shown.clear();
      place.replaceChildren();
      more.hidden = true;
      say("");
      upkeep(each.dataset.tab);
    });
  }
  more.addEventListener("click", () => load(true));

  return {
    say,
    async start() {
      count();
      search.load();
      await load();
      marked = [...shown.keys()][0] ?? null;
      paint();
      setInterval(() => {
        if (document.hidden || batch.size) return;
        count();
        if (shown.size <= PAGE && tab.dataset.tab !== "search") load();
      }, REFRESH);
    },
    mark(id) {
      marked = id;
      paint();
      place.querySelector(".marked")?.scrollIntoView({ block: "nearest" });
    },
    step(by) {
      const all = [...shown.keys()];
      const to = all[Math.min(Math.max(all.indexOf(marked) + by, 0), all.length - 1)];
      if (!to) return;
      this.mark(to);
      place.querySelector(".marked .card").focus();
      if (!byId("opened").hidden) open(to);
    },
    openMarked: () => marked && open(marked),
    pickMarked() {
      const box = place.querySelector(".marked input");
      if (box) pick(marked, (box.checked = !box.checked));
    },
    refresh() {
      count();
      return load();
    },
  };
}
