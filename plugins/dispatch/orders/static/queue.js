// The list: one tab at a time, with what is chosen for a batch.
import { batching } from "./batching.js";
import { filters } from "./filters.js";
import { ORDERS } from "./api.js";
import { byId, left, locate, make, metres, moment } from "/static/accounts/ways.js";

const REFRESH = 20_000;
const PAGE = 50;

export function queue(open) {
  const list = byId("orders");
  const message = byId("queue-message");
  const more = byId("more");
  const tabs = [...document.querySelectorAll(".tabs button")];
  let tab = tabs[0];
  let cursor = null;
  let marked = null;
  let asking = 0; // of several answers under way the last one asked for counts
  let shown = new Map(); // id -> row
  const search = filters(() => { cursor = null; load(); });
  const batch = batching(() => shown, async (words) => {
    await load();
    count();
    say(words);
    draw(false);
  });
  byId("batch-none").addEventListener("click", () => { batch.clear(); draw(); });

  function say(words) {
    message.textContent = words;
    message.hidden = !words;
  }

  function address(onwards) {
    const asked = tab.dataset.tab === "search" ? search.query() : new URLSearchParams(tab.dataset.query);
    asked.set("order", { waiting: "newest", search: "newest", checking: "oldest" }[tab.dataset.tab] ?? "due");
    asked.set("limit", PAGE);
    if (onwards && cursor) asked.set("cursor", cursor);
    return `${ORDERS}?${asked}`;
  }

  async function nearby() {
    const place = await locate();
    return qingxu.call("GET", `${ORDERS}/nearby?longitude=${place.longitude}&latitude=${place.latitude}&metres=5000&limit=50`);
  }

  async function load(onwards = false) {
    const mine = ++asking;
    let found;
    try {
      found = await (tab.dataset.tab === "nearby" ? nearby() : qingxu.call("GET", address(onwards)));
    } catch (problem) {
      if (mine === asking) say(problem.detail);
      return;
    }
    if (mine !== asking) return;
    cursor = found.next_cursor ?? null;
    more.hidden = !cursor;
    shown = new Map([...(onwards ? shown : []), ...found.items.map((row) => [row.id, row])]);
    batch.keep(shown);
    draw();
  }

  function draw(anew = true) {
    const focused = document.activeElement?.closest?.("#orders li")?.dataset.id;
    list.replaceChildren(...Array.from(shown.values(), card));
    if (anew) say(shown.size ? "" : "这里没有派单。");
    paint();
    if (focused) list.querySelector(`[data-id="${focused}"] .card`)?.focus();
  }

  function card(row) {
    const tags = [
      row.distance !== undefined && make("i", { className: "tag calm" }, metres(row.distance)),
      row.due_at && make("i", { className: row.overdue ? "tag late" : "tag calm" }, left(row.due_at)),
      row.rework > 0 && make("i", { className: "tag warm" }, `返工 ${row.rework}`),
      row.extension_pending && make("i", { className: "tag warm" }, "申请延期"),
      row.provisional && make("i", { className: "tag calm", title: "时限内有年份的节假日尚未录入" }, "暂定时限"),
    ];
    const button = make("button", { type: "button", className: "card" },
      make("span", { className: `dot s${row.severity}`, title: `等级 ${row.severity}` }),
      make("span", { className: "words" },
        make("b", {}, row.title, make("small", {}, row.state_title)),
        make("span", {}, row.point_name || row.area_name),
        make("span", { className: "foot-line" }, make("time", { dateTime: row.created_at }, moment(row.created_at)), row.unit_name && make("span", {}, row.unit_name), ...tags)));
    button.addEventListener("click", () => open(row.id));
    const parts = [button];
    if (batch.pickable(row)) {
      const box = make("input", { type: "checkbox", checked: batch.has(row.id), ariaLabel: `选中 ${row.number}` });
      box.addEventListener("change", () => batch.pick(row.id, box.checked));
      parts.unshift(make("label", { className: "pick" }, box));
    }
    return make("li", { dataset: { id: row.id } }, ...parts);
  }

  function paint() {
    for (const item of list.children) {
      const here = item.dataset.id === marked;
      item.classList.toggle("marked", here);
      const button = item.querySelector(".card");
      if (here) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    batch.paint();
  }

  async function count() {
    try {
      const found = await qingxu.call("GET", `${ORDERS}/counts`);
      for (const each of tabs) {
        const number = found[each.dataset.tab];
        const badge = each.querySelector(".badge");
        if (!badge) continue;
        badge.textContent = number > 999 ? "999+" : number;
        badge.hidden = !number;
        badge.classList.toggle("late", each.dataset.tab === "overdue");
      }
    } catch {
      // the list itself says what is wrong
    }
  }

  for (const each of tabs) {
    each.addEventListener("click", () => {
      tab = each;
      for (const other of tabs) other.setAttribute("aria-pressed", String(other === each));
      byId("search").hidden = each.dataset.tab !== "search";
      cursor = null;
      batch.clear();
      if (each.dataset.tab === "nearby") say("正在定位……");
      load();
    });
  }
  more.addEventListener("click", () => load(true));

  return {
    async start() {
      count();
      search.load();
      await load();
      marked = [...shown.keys()][0] ?? null;
      paint();
      setInterval(() => {
        if (document.hidden) return;
        count();
        if (shown.size <= PAGE && !["search", "nearby"].includes(tab.dataset.tab)) load();
      }, REFRESH);
    },
    mark(id) {
      marked = id;
      paint();
      list.querySelector(".marked")?.scrollIntoView({ block: "nearest" });
    },
    step(by) {
      const all = [...shown.keys()];
      const to = all[Math.min(Math.max(all.indexOf(marked) + by, 0), all.length - 1)];
      if (!to) return;
      this.mark(to);
      list.querySelector(".marked .card").focus();
      if (byId("work").classList.contains("has-order")) open(to);
    },
    openMarked: () => marked && open(marked),
    pickMarked() {
      const box = list.querySelector(".marked input");
      if (box) batch.pick(marked, (box.checked = !box.checked));
    },
    refresh() {
      count();
      return load();
    },
  };
}
