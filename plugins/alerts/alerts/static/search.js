// The search: its conditions, and the ones that the person keeps under a name.
import { ALERTS } from "./api.js";
import { byId, dialog, make } from "/static/accounts/ways.js";

const KEPT = "/api/v1/saved-filters";
const LIST = "alerts";
const DAY = 86_400_000;
const midnight = (day) => new Date(`${day}T00:00:00+08:00`);
const dayOf = (moment) => new Date(moment.getTime() + 8 * 3_600_000).toISOString().slice(0, 10);

export function search(changed) {
  const form = byId("search");
  const fields = form.elements;
  const chips = byId("kept");

  /** Return the conditions as the API knows them: people name the first and the last day, it the moment after. */
  function query() {
    const asked = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) asked.set(name, value.trim());
    if (asked.has("since")) asked.set("since", midnight(asked.get("since")).toISOString());
    if (asked.has("until")) asked.set("until", new Date(midnight(asked.get("until")).getTime() + DAY).toISOString());
    if (byId("export")) byId("export").href = `${ALERTS}/export?${asked}`;
    return asked;
  }

  function fill(kept) {
    form.reset();
    for (const [name, value] of Object.entries(kept)) {
      if (!fields[name]) continue;
      if (name === "since") fields.since.value = dayOf(new Date(value));
      else if (name === "until") fields.until.value = dayOf(new Date(new Date(value).getTime() - DAY));
      else fields[name].value = value;
    }
    byId("more-conditions").open ||= Object.keys(kept).some((name) => !["kind", "state"].includes(name));
    changed();
  }

  async function load() {
    try {
      const [kinds, kept] = await Promise.all([qingxu.call("GET", `${ALERTS}/kinds`), qingxu.call("GET", `${KEPT}?list=${LIST}`)]);
      if (fields.kind.options.length === 1) fields.kind.append(...kinds.items.map((each) => make("option", { value: each.code }, each.name)));
      chips.replaceChildren(...kept.items.map(chip));
      chips.hidden = !kept.items.length;
    } catch {
      // the list itself says what is wrong
    }
  }

  function chip(kept) {
    const use = make("button", { type: "button", className: "chip" }, kept.name);
    const forget = make("button", { type: "button", className: "chip forget", title: "删除这个筛选", ariaLabel: `删除筛选 ${kept.name}` }, "×");
    use.addEventListener("click", () => fill(kept.query));
    forget.addEventListener("click", async () => {
      await qingxu.call("DELETE", `${KEPT}/${kept.id}`).catch(() => null);
      load();
    });
    return make("span", {}, use, forget);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  byId("keep").addEventListener("click", () => dialog(byId("keep-dialog"), async () => {
    await qingxu.call("POST", KEPT, { list: LIST, name: byId("keep-name").value.trim(), query: Object.fromEntries(query()) });
    byId("keep-name").value = "";
    load();
  }));
  return { query, load };
}
