// The list of cases: the queue that waits, the longest first, or what a search finds, the newest first.
import { ago, byId, make } from "/static/accounts/ways.js";

const CASES = "/api/v1/evidence/cases";
const REFRESH = 20_000;

export function queue(page, open) {
  const list = byId("cases");
  const message = byId("queue-message");
  const more = byId("more");
  const search = byId("search");
  let cursor = null;
  let marked = null;
  let shown = new Map(); // id -> row

  const searching = () => !search.hidden;

  function query(limit = 50) {
    const asked = new URLSearchParams(searching() ? { order: "newest", limit } : { state: page.dataset.queue, order: "oldest", limit });
    if (searching()) for (const [name, value] of new FormData(search)) if (value.trim()) asked.set(name, value.trim());
    return asked;
  }

  async function load({ onwards = false } = {}) {
    const asked = query();
    if (onwards && cursor) asked.set("cursor", cursor);
    const label = asked.toString();
    let found;
    try {
      found = await qingxu.call("GET", `${CASES}?${asked}`);
    } catch (problem) {
      message.textContent = problem.detail;
      message.hidden = false;
      return;
    }
    // The person may have changed to another list in the meantime.
    const now = query();
    if (onwards && cursor) now.set("cursor", cursor);
    if (now.toString() !== label) return;
    cursor = found.next_cursor;
    more.hidden = !cursor;
    shown = new Map([...(onwards ? shown : []), ...found.items.map((row) => [row.id, row])]);
    draw();
  }

  function draw() {
    const focused = document.activeElement?.closest?.("#cases li")?.dataset.id;
    list.replaceChildren(...Array.from(shown.values(), card));
    message.hidden = shown.size > 0;
    message.textContent = shown.size ? "" : searching() ? "没有符合条件的案件。" : "全部办完，没有等待的案件。";
    paint();
    if (focused) list.querySelector(`[data-id="${focused}"] button`)?.focus();
  }

  function card(row) {
    const picture = row.thumbnail
      ? make("img", { src: row.thumbnail, alt: "", loading: "lazy", width: 88, height: 66 })
      : make("span", { className: "no-picture" }, "无图");
    const tags = [
      row.overdue && make("i", { className: "tag late" }, "超时"),
      row.defences > 0 && make("i", { className: "tag" }, `申辩 ${row.defences}`),
      row.captures_count > 1 && make("i", { className: "tag calm" }, `${row.captures_count} 次取证`),
      searching() && make("i", { className: "tag calm" }, row.state_title),
    ].filter(Boolean);
    const text = make("span", { className: "card-text" },
      make("b", {}, row.violation_title), make("span", {}, row.point_name),
      make("span", { className: "card-foot" }, make("time", { dateTime: row.first_at }, ago(row.first_at)), ...tags));
    const button = make("button", { type: "button", className: "case-card" }, picture, text);
    button.addEventListener("click", () => open(row.id));
    return make("li", { dataset: { id: row.id } }, button);
  }

  function paint() {
    for (const item of list.children) {
      const here = item.dataset.id === marked;
      item.classList.toggle("marked", here);
      if (here) item.firstChild.setAttribute("aria-current", "true");
      else item.firstChild.removeAttribute("aria-current");
    }
  }

  function ids() {
    return Array.from(shown.keys());
  }

  async function count() {
    for (const tab of page.querySelectorAll(".tabs a")) {
      try {
        const found = await qingxu.call("GET", `${CASES}?state=${tab.dataset.state}&limit=1&count=true`);
        const badge = tab.querySelector(".badge");
        badge.textContent = found.total;
        badge.hidden = !found.total;
      } catch {
        return; // the list itself says what is wrong
      }
    }
  }

  function refresh() {
    // Whoever has paged on, or reads a case, does not lose the place.
    if (document.hidden) return;
    count();
    if (!searching() && shown.size <= 50) load();
  }

  more.addEventListener("click", () => load({ onwards: true }));
  byId("show-history").addEventListener("click", (event) => {
    search.hidden = !search.hidden;
    event.currentTarget.setAttribute("aria-pressed", String(searching()));
    cursor = null;
    load();
    if (searching()) search.elements.q.focus();
  });
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    cursor = null;
    load();
  });

  return {
    async start() {
      count();
      await load();
      marked ??= ids()[0] ?? null;
      paint();
      setInterval(refresh, REFRESH);
    },
    /** Mark a case as the one that the person is at. */
    mark(id) {
      marked = id;
      paint();
      list.querySelector(".marked")?.scrollIntoView({ block: "nearest" });
    },
    /** Go to the next case, or the one before; an open case gives way to it. */
    step(by) {
      const all = ids();
      const to = all[Math.min(Math.max(all.indexOf(marked) + by, 0), all.length - 1)];
      if (!to || to === marked) return;
      this.mark(to);
      list.querySelector(".marked button").focus();
      if (page.classList.contains("has-case")) open(to);
    },
    /** Read the list again, as it is now. */
    reload: () => load(),
    openMarked: () => marked && open(marked),
    /** Return what comes after a case: the next one, or at the end the one before. */
    next(id) {
      if (this.following?.id === id) return this.following.next;
      return ids()[0];
    },
    /** Take a decided case out of the queue; a search goes on showing it. */
    drop(id) {
      const all = ids();
      const place = all.indexOf(id);
      this.following = { id, next: all[place + 1] ?? all[place - 1] };
      if (!searching()) {
        shown.delete(id);
        draw();
      } else load();
      count();
    },
    focus(id) {
      (list.querySelector(`[data-id="${id}"] button`) ?? list.querySelector("button"))?.focus();
    },
  };
}
