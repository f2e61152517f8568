// The list: one tab at a time, with what is chosen for a batch.
import { ORDERS, byId, left, make, moment } from "./ways.js";

const REFRESH = 20_000;

export function queue(open) {
  const list = byId("orders");
  const message = byId("queue-message");
  const more = byId("more");
  const search = byId("search");
  const tabs = [...document.querySelectorAll(".tabs button")];
  let tab = tabs[0];
  let cursor = null;
  let marked = null;
  let shown = new Map(); // id -> row
  const picked = new Set();

  function query() {
    const asked = new URLSearchParams(tab.dataset.query);
    if (tab.dataset.tab === "search") {
      for (const [name, value] of new FormData(search)) if (value.trim()) asked.set(name, value.trim());
      if (byId("export")) byId("export").href = `${ORDERS}/export?${asked}`;
    }
    asked.set("order", ["waiting", "search"].includes(tab.dataset.tab) ? "newest" : "due");
    if (tab.dataset.tab === "checking") asked.set("order", "oldest");
    asked.set("limit", 50);
    return asked;
  }

  async function load(onwards = false) {
    const asked = query();
    const label = asked.toString();
    if (onwards && cursor) asked.set("cursor", cursor);
    let found;
    try {
      found = await qingxu.call("GET", `${ORDERS}?${asked}`);
    } catch (problem) {
      message.textContent = problem.detail;
      message.hidden = false;
      return;
    }
    if (query().toString() !== label) return; // another tab by now
    cursor = found.next_cursor;
    more.hidden = !cursor;
    shown = new Map([...(onwards ? shown : []), ...found.items.map((row) => [row.id, row])]);
    for (const id of picked) if (!shown.has(id)) picked.delete(id);
    draw();
  }

  function draw() {
    const focused = document.activeElement?.closest?.("#orders li")?.dataset.id;
    list.replaceChildren(...Array.from(shown.values(), card));
    message.hidden = shown.size > 0;
    message.textContent = shown.size ? "" : "这里没有派单。";
    paint();
    if (focused) list.querySelector(`[data-id="${focused}"] .card`)?.focus();
  }

  function card(row) {
    const tags = [
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
    if (byId("work").hasAttribute("data-dispatch") && ["reported", "filed", "returned"].includes(row.state)) {
      const box = make("input", { type: "checkbox", checked: picked.has(row.id), ariaLabel: `选中 ${row.number}` });
      box.addEventListener("change", () => pick(row.id, box.checked));
      parts.unshift(make("label", { className: "pick" }, box));
    }
    return make("li", { dataset: { id: row.id } }, ...parts);
  }

  function pick(id, on) {
    if (on) picked.add(id);
    else picked.delete(id);
    paint();
  }

  function paint() {
    for (const item of list.children) {
      const here = item.dataset.id === marked;
      item.classList.toggle("marked", here);
      const button = item.querySelector(".card");
      if (here) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    byId("batch").hidden = picked.size === 0;
    byId("batch").querySelector("span").textContent = `已选 ${picked.size} 件`;
  }

  async function count() {
    try {
      const found = await qingxu.call("GET", `${ORDERS}/counts`);
      for (const each of tabs) {
        const number = found[each.dataset.tab];
        const badge = each.querySelector(".badge");
        if (!badge) continue;
        badge.textContent = number;
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
      search.hidden = each.dataset.tab !== "search";
      cursor = null;
      picked.clear();
      load();
    });
  }
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    cursor = null;
    load();
  });
  more.addEventListener("click", () => load(true));
  byId("batch-none").addEventListener("click", () => { picked.clear(); draw(); });
  byId("batch-send").addEventListener("click", async (event) => {
    event.target.disabled = true;
    const items = [...picked].slice(0, 100).map((id) => ({ id, etag: shown.get(id).etag }));
    try {
      const found = await qingxu.call("POST", `${ORDERS}/batches`, { verb: "dispatch", items }, { "Idempotency-Key": crypto.randomUUID() });
      picked.clear();
      await load();
      count();
      const refused = found.items.filter((each) => !each.done);
      message.hidden = false;
      message.textContent = `已派出 ${found.done} 件${refused.length ? `，${refused.length} 件未派出：${refused[0].detail}` : "。"}`;
    } catch (problem) {
      message.hidden = false;
      message.textContent = problem.detail;
    }
    event.target.disabled = false;
  });

  return {
    async start() {
      count();
      await load();
      marked = [...shown.keys()][0] ?? null;
      paint();
      setInterval(() => {
        if (document.hidden) return;
        count();
        if (shown.size <= 50 && tab.dataset.tab !== "search") load();
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
      if (box) pick(marked, (box.checked = !box.checked));
    },
    refresh() {
      count();
      return load();
    },
  };
}
