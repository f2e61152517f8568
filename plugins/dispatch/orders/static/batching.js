// Several orders at once: what is picked, and the step that is taken with all of it.
import { ORDERS } from "./api.js";
import { byId, make, send } from "/static/accounts/ways.js";

const MOST = 100;
const WAITING = ["reported", "filed", "returned"];
const CHECKING = ["replied", "verifying"];

export function batching(rows, done) {
  const work = byId("work");
  const bar = byId("batch");
  const picked = new Set();
  const may = { dispatch: work.hasAttribute("data-dispatch"), close: work.hasAttribute("data-verify") };
  const states = (all) => [...picked].every((id) => all.includes(rows().get(id)?.state));

  const pickable = (row) => (may.dispatch && WAITING.includes(row.state)) || (may.close && CHECKING.includes(row.state));

  function paint() {
    bar.hidden = picked.size === 0;
    const waiting = picked.size && states(WAITING);
    const checking = picked.size && states(CHECKING);
    byId("batch-send").hidden = byId("batch-dismiss").hidden = !waiting;
    byId("batch-close").hidden = !checking;
    const mixed = waiting || checking ? "" : "，请选择同一环节的派单";
    bar.querySelector("span").textContent = `已选 ${picked.size} 件${mixed}`;
  }

  function pick(id, on) {
    if (on) picked.add(id);
    else picked.delete(id);
    paint();
  }

  function clear() {
    picked.clear();
    paint();
  }

  async function take(verb, words, reason = "") {
    const items = [...picked].slice(0, MOST).map((id) => ({ id, etag: rows().get(id).etag }));
    bar.classList.add("busy");
    try {
      const found = await send("POST", `${ORDERS}/batches`, { verb, reason, items });
      clear();
      const refused = found.items.filter((each) => !each.done);
      const rest = refused.length ? `，${refused.length} 件未办：${refused[0].detail}` : "。";
      await done(`已${words} ${found.done} 件${rest}`);
    } catch (problem) {
      await done(problem.detail);
    }
    bar.classList.remove("busy");
  }

  /** Ask for the reason that all of them get. */
  function ask(verb, words, title) {
    const dialog = byId("batch-ask");
    const form = dialog.querySelector("form");
    const reason = form.elements.reason;
    const quick = JSON.parse(work.dataset.reasons)[verb] ?? [];
    dialog.querySelector("h2").textContent = `${title}（${picked.size} 件）`;
    reason.value = "";
    reason.required = verb === "dismiss";
    byId("batch-reasons").replaceChildren(...quick.map((text) => {
      const chip = make("button", { type: "button", className: "chip" }, text);
      chip.addEventListener("click", () => { reason.value = text; });
      return chip;
    }));
    form.onsubmit = (event) => {
      if (event.submitter?.value !== "cancel") take(verb, words, reason.value.trim());
    };
    dialog.showModal();
  }

  byId("batch-send").addEventListener("click", () => take("dispatch", "派出"));
  byId("batch-dismiss").addEventListener("click", () => ask("dismiss", "不予立案", "不予立案"));
  byId("batch-close").addEventListener("click", () => ask("close", "结案", "核查通过，结案"));

  return { pickable, pick, clear, paint, has: (id) => picked.has(id), keep: (all) => { for (const id of picked) if (!all.has(id)) picked.delete(id); } };
}
