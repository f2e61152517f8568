// The search: its conditions, and the ones that the person keeps under a name.
import { ORDERS } from "./api.js";
import { byId, make } from "/static/accounts/ways.js";

const KEPT = "/api/v1/saved-filters";
const LIST = "work-orders";
const DAY = 86_400_000;
const midnight = (day) => new Date(`${day}T00:00:00+08:00`);
const dayOf = (moment) => new Date(moment.getTime() + 8 * 3_600_000).toISOString().slice(0, 10);

export function filters(changed) {
  const form = byId("search");
  const fields = form.elements;
  const chips = byId("kept");

  /** Return the conditions as the API knows them. */
  function query() {
    const asked = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) asked.set(name, value.trim());
    // People name the first and the last day, the API the moment after.
    if (asked.has("since")) asked.set("since", midnight(asked.get("since")).toISOString());
    if (asked.has("until")) asked.set("until", new Date(midnight(asked.get("until")).getTime() + DAY).toISOString());
    if (byId("export")) byId("export").href = `${ORDERS}/export?${asked}`;
    return asked;
  }

  function fill(kept) {
    form.reset();
    for (const [name, value] of Object.entries(kept)) {
      if (!fields[name]) continue;
      if (name === "late") fields.late.checked = true;
      else if (name === "since") fields.since.value = dayOf(new Date(value));
      else if (name === "until") fields.until.value = dayOf(new Date(new Date(value).getTime() - DAY));
      else fields[name].value = value;
    }
    byId("more-conditions").open ||= ["severity", "since", "until", "late"].some((name) => name in kept);
    changed();
  }

  async function load() {
    let found;
    try {
      found = await qingxu.call("GET", `${KEPT}?list=${LIST}`);
    } catch {
      return; // the list itself says what is wrong
    }
    chips.replaceChildren(...found.items.map((each) => {
      const use = make("button", { type: "button", className: "chip" }, each.name);
      const forget = make("button", { type: "button", className: "chip forget", title: "删除这个筛选", ariaLabel: `删除筛选 ${each.name}` }, "×");
      use.addEventListener("click", () => fill(each.query));
      forget.addEventListener("click", async () => {
        await qingxu.call("DELETE", `${KEPT}/${each.id}`).catch(() => null);
        load();
      });
      return make("span", {}, use, forget);
    }));
    chips.hidden = !found.items.length;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  byId("keep").addEventListener("click", () => {
    byId("keep-message").textContent = "";
    byId("keeping").showModal();
  });
  byId("keeping").querySelector("form").addEventListener("submit", async (event) => {
    if (event.submitter?.value === "cancel") return;
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    try {
      await qingxu.call("POST", KEPT, { list: LIST, name, query: Object.fromEntries(query()) });
    } catch (problem) {
      return qingxu.show(byId("keep-message"), problem);
    }
    byId("keeping").close();
    event.target.reset();
    load();
  });

  return { query, load };
}
