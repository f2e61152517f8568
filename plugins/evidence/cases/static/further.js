// What else can be done with the open case: merge, split, hold, the notice, an answer. Each asks in a dialog.
import { told } from "./saying.js";
import { byId, day, dialog, instant, make, send } from "/static/accounts/ways.js";

const CASES = "/api/v1/evidence/cases";

/** `again` shows the case as it is now, `moved` says that it went into another one, `stale` that others changed it. */
export function further(page, { again, moved, stale }) {
  const row = byId("further");
  const buttons = Object.fromEntries(Array.from(row.querySelectorAll("[data-act]"), (each) => [each.dataset.act, each]));
  const print = byId("print-notice");
  let found = null;
  let stated = []; // the defences that wait for an answer

  function show(shown) {
    found = shown;
    stated = [];
    const waits = found.verbs.some((each) => each.verb === "merge");
    const offered = {
      merge: waits,
      split: waits && found.captures.length > 1,
      hold: found.may.hold,
      notice: found.may.notice && !found.noticed_at,
    };
    for (const [name, button] of Object.entries(buttons)) button.hidden = !offered[name];
    print.hidden = !(found.may.notice && found.noticed_at);
    print.href = `/evidence/cases/${found.id}/notice`;
    row.hidden = print.hidden && !Object.values(offered).some(Boolean);
  }

  /** Open a dialog that writes; when somebody else was faster the case is shown anew and nothing is written. */
  function ask(id, write) {
    const of = found;
    dialog(byId(id), async (form) => {
      try {
        await write(of, form.elements);
      } catch (problem) {
        if (problem.code !== "stale_version") throw problem;
        await stale();
      }
    });
  }

  async function merge() {
    const near = new URLSearchParams({ state: "waiting", point: found.point, order: "newest", limit: 50 });
    const of = found;
    const { items } = await qingxu.call("GET", `${CASES}?${near}`).catch(() => ({ items: [] }));
    if (of !== found) return;
    byId("merge-cases").replaceChildren(...items.filter((each) => each.id !== of.id)
      .map((each) => make("option", { value: each.number }, `${each.violation_title} ${instant(each.first_at)}`)));
    ask("merge-dialog", async (of, { into, reason }) => {
      const { items: [target] } = await qingxu.call("GET", `${CASES}?${new URLSearchParams({ state: "waiting", number: into.value.trim() })}`);
      if (!target) throw { detail: "没有这个待复核的案件。" };
      const after = await send("POST", `${CASES}/${of.id}/merge`, { into: target.id, reason: reason.value.trim() }, of.etag);
      into.value = reason.value = "";
      await moved(of, after);
      told(`${of.number} 已并入 ${after.number}`);
    });
  }

  function split() {
    byId("split-captures").replaceChildren(...found.captures.map((each) => {
      const box = make("input", { type: "checkbox", name: "captures", value: each.id });
      return make("label", {}, box, ` ${instant(each.device_time)} ${each.device_name || each.source_title}，${each.photos.length} 张照片`);
    }));
    ask("split-dialog", async (of, { reason }) => {
      const captures = Array.from(byId("split-captures").querySelectorAll(":checked"), (each) => each.value);
      if (!captures.length || captures.length === of.captures.length) throw { detail: "请勾选要拆出的取证，并至少留下一条。" };
      const made = await send("POST", `${CASES}/${of.id}/split`, { captures, reason: reason.value.trim() }, of.etag);
      reason.value = "";
      await again();
      told(`已拆出新案件 ${made.number}`);
    });
  }

  function hold() {
    byId("hold-what").replaceChildren(make("option", { value: "" }, "采取保全"),
      ...found.holds.map((each) => make("option", { value: each.id }, `解除：${each.reason}（${each.name} ${instant(each.at)}）`)));
    ask("hold-dialog", async (of, { what, reason }) => {
      const address = what.value ? `${CASES}/${of.id}/holds/${what.value}/release` : `${CASES}/${of.id}/holds`;
      await send("POST", address, { reason: reason.value.trim() }, of.etag);
      reason.value = "";
      await again();
      told(what.value ? "已解除保全" : "已采取保全，期满不删除");
    });
  }

  function notice() {
    if (!print.hidden) print.click();
    else if (!buttons.notice.hidden) ask("notice-dialog", async (of) => {
      const made = await send("POST", `${CASES}/${of.id}/notice`, {}, of.etag);
      await again();
      told(`告知书已出具，申辩期限至 ${day(made.defence_until)}，请打印送达。`);
    });
  }

  /** Answer a defence; without one, the first that waits. */
  function answer(defence = stated[0]) {
    if (!defence) return;
    byId("defence-text").textContent = defence.text;
    ask("answer-dialog", async (of, { words, upheld }) => {
      const body = { answer: words.value.trim(), upheld: upheld.value === "yes" };
      await send("POST", `${CASES}/${of.id}/defences/${defence.id}/answer`, body, defence.etag);
      words.value = "";
      await again();
      told(body.upheld ? "已答复：申辩成立，案件退回重新复核" : "已答复申辩");
    });
  }

  const acts = { merge, split, hold, notice };
  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", () => acts[name]());
  const allowed = (name) => () => found && !buttons[name].hidden && acts[name]();
  return {
    show,
    answer,
    /** Say which defences wait for an answer. */
    wait: (defences) => { stated = defences; },
    merge: allowed("merge"),
    split: allowed("split"),
    hold: allowed("hold"),
    notice: () => found && notice(),
  };
}
