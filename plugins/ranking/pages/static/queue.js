// The list: one tab at a time, with the searches that a person keeps.
import { CHARGES, signed, tone } from "./api.js";
import { byId, make, moment } from "/static/accounts/ways.js";

const KEPT = "/api/v1/saved-filters";
const LIST = "assessment-charges";

export function queue(open) {
  const list = byId("charges");
  const message = byId("queue-message");
  const more = byId("more");
  const search = byId("search");
  const tabs = [...document.querySelectorAll(".tabs button")];
  let tab = tabs[0];
  let cursor = null;
  let marked = null;
  let shown = new Map(); // id -> row

  /** What is asked for, as it may be kept: the month as it was chosen. */
  function chosen() {
    const asked = new URLSearchParams(tab.dataset.query);
    if (tab.dataset.tab === "all") for (const [name, value] of new FormData(search)) if (value.trim()) asked.set(name, value.trim());
    return asked;
  }

  /** The same as the list understands it: a month is two times. */
  function query() {
    const asked = chosen();
    const month = asked.get("month");
    asked.delete("month");
    if (month) {
      const [year, number] = month.split("-").map(Number);
      const next = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`;
      asked.set("since", `${month}-01T00:00:00+08:00`);
      asked.set("until", `${next}-01T00:00:00+08:00`);
    }
    return asked;
  }

  async function load(onwards = false) {
    const asked = query();
    if (byId("export")) byId("export").href = `${CHARGES}/export?${asked}`;
    asked.set("limit", 50);
    const label = asked.toString();
    if (onwards && cursor) asked.set("cursor", cursor);
    let found;
    try {
      found = await qingxu.call("GET", `${CHARGES}?${asked}`);
    } catch (problem) {
      qingxu.show(message, problem);
      message.hidden = false;
      return;
    }
    const now = query();
    now.set("limit", 50);
    if (now.toString() !== label) return; // another tab by now
    cursor = found.next_cursor;
    more.hidden = !cursor;
    shown = new Map([...(onwards ? shown : []), ...found.items.map((row) => [row.id, row])]);
    list.replaceChildren(...Array.from(shown.values(), card));
    message.hidden = shown.size > 0;
    message.textContent = shown.size ? "" : "这里没有记录。";
    paint();
  }

  function card(row) {
    const button = make("button", { type: "button", className: "card" },
      make("span", { className: "words" },
        make("b", {}, row.title),
        make("span", {}, `${row.compound_name} · ${row.source_title} ${row.number}`),
        make("span", { className: "foot-line" },
          make("time", { dateTime: row.occurred_at }, moment(row.occurred_at)),
          row.state !== "standing" && make("i", { className: "tag calm" }, row.state_title),
          row.capped && make("i", { className: "tag calm" }, "已达上限"),
          row.appeal && make("i", { className: row.appeal === "filed" ? "tag warm" : "tag calm" }, row.appeal_title))),
      make("strong", { className: tone(row.net) }, signed(row.net)));
    button.addEventListener("click", () => open(row.id));
    return make("li", { dataset: { id: row.id } }, button);
  }

  function paint() {
    for (const item of list.children) {
      const here = item.dataset.id === marked;
      item.classList.toggle("marked", here);
      if (here) item.firstElementChild.setAttribute("aria-current", "true");
      else item.firstElementChild.removeAttribute("aria-current");
    }
  }

  function choose(each) {
    tab = each;
    for (const other of tabs) other.setAttribute("aria-pressed", String(other === each));
    search.hidden = each.dataset.tab !== "all";
    cursor = null;
  }

  async function showKept() {
    try {
      const found = await qingxu.call("GET", `${KEPT}?list=${LIST}`);
      byId("search-saved").replaceChildren(make("option", { value: "" }, "不使用"), ...found.items.map((each) => make("option", { value: JSON.stringify(each.query) }, each.name)));
    } catch {
      // without them the form is there all the same
    }
  }

  for (const each of tabs) each.addEventListener("click", () => { choose(each); load(); });
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    cursor = null;
    load();
  });
  byId("search-saved").addEventListener("change", (event) => {
    const kept = JSON.parse(event.target.value || "{}");
    for (const field of search.elements) if (field.name) field.value = kept[field.name] ?? "";
    load();
  });
  byId("search-keep").addEventListener("click", async () => {
    const name = prompt("筛选名称")?.trim();
    if (!name) return;
    try {
      await qingxu.call("POST", KEPT, { list: LIST, name: name.slice(0, 40), query: Object.fromEntries(chosen()) });
      await showKept();
    } catch (problem) {
      qingxu.show(message, problem);
      message.hidden = false;
    }
  });
  more.addEventListener("click", () => load(true));

  return {
    async start() {
      const asked = tabs.find((each) => each.dataset.tab === new URLSearchParams(location.search).get("tab"));
      if (asked) choose(asked);
      showKept();
      await load();
    },
    mark(id) {
      marked = id;
      paint();
    },
    refresh: () => load(),
  };
}
