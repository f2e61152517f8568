// The page of cases: what is open, what is sent, and what comes back. The parts of the page are modules of their own.
import { choices, defences, facts, history, warnings } from "./facts.js";
import { deciding } from "./deciding.js";
import { further } from "./further.js";
import { keys } from "./keys.js";
import { queue } from "./queue.js";
import { stage } from "./stage.js";
import { told } from "./saying.js";
import { byId, send } from "/static/accounts/ways.js";

const page = byId("review");
const CASES = "/api/v1/evidence/cases";

let opened = null; // the case as the server gave it
let asked = null; // the id of the case that was asked for last: a slow answer to an earlier one is dropped
let photo = null; // {capture, photo} on the stage

const list = queue(page, (id) => open(id));
const decisions = deciding(page, {
  decide: (told) => send("POST", `${CASES}/${opened.id}/decisions`, told, opened.etag),
  done: (after, title) => {
    list.drop(after.id);
    const next = list.next(after.id);
    if (next && innerWidth > 832) open(next);
    else close();
    // Where the person is now; an empty list says so itself.
    if (next) told(`${after.number} 已办：${title}`);
  },
  stale,
});
const pictures = stage(page, {
  chosen: (exhibit) => choose(exhibit),
  showing: (shown) => {
    photo = shown;
    choices(opened, photo, choose);
  },
  drawn: async (region) => {
    const of = opened.id;
    const { id } = await send("POST", `/api/v1/evidence/captures/${photo.capture.id}/regions`, region, photo.capture.etag);
    told("已保存框选，正在生成证据图片。");
    awaited(of, id);
  },
});

const more = further(page, {
  again: async () => {
    await list.reload();
    await open(opened.id, { keep: true });
  },
  moved: async (from, after) => {
    list.drop(from.id);
    await open(after.id);
  },
  stale,
});

/** Open a case; with `keep` the same photo stays on the stage. */
async function open(id, { keep = false } = {}) {
  asked = id;
  list.mark(id);
  let found;
  try {
    found = await qingxu.call("GET", `${CASES}/${id}`);
  } catch (problem) {
    if (asked === id) told(problem.detail, true);
    return;
  }
  if (asked !== id) return;
  show(found, keep);
}

function show(found, keep) {
  const before = opened;
  opened = found;
  page.classList.add("has-case");
  byId("nothing").hidden = true;
  byId("opened").hidden = byId("judgement").hidden = false;
  byId("case-title").textContent = `${found.violation_title} · ${found.point_name}`;
  facts(found);
  warnings(found, open);
  history(found);
  more.show(found);
  defences(found, more);
  decisions.show(found);
  pictures.show(found, keep && before?.id === found.id);
  if (before?.id !== found.id) {
    byId("judgement").querySelector(".scroll").scrollTop = 0;
    byId("case-title").focus({ preventScroll: true });
    if (innerWidth <= 832) scrollTo(0, 0);
  }
}

function close() {
  const id = opened?.id;
  opened = asked = null;
  page.classList.remove("has-case");
  byId("nothing").hidden = false;
  byId("opened").hidden = byId("judgement").hidden = true;
  list.focus(id);
}

/** A region that was drawn becomes an exhibit in the background: look for it, a little later each time. */
async function awaited(of, exhibit, pause = 800) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  if (opened?.id !== of) return;
  await open(of, { keep: true });
  const there = opened.captures.some((capture) => capture.photos.some((each) => each.exhibits.some((one) => one.id === exhibit)));
  if (!there && pause < 10_000) awaited(of, exhibit, pause * 2);
}

/** Take a face as the subject's or an object as the waste; the same one again takes it back. */
async function choose(exhibit) {
  if (!opened || opened.state !== "waiting" || !page.hasAttribute("data-review")) return;
  const chosen = { face: opened.subject, waste: opened.waste };
  const name = exhibit.kind === "face" ? "face" : "waste";
  chosen[name] = chosen[name] === exhibit.id ? null : exhibit.id;
  try {
    show(await send("POST", `${CASES}/${opened.id}/subject`, chosen, opened.etag), true);
  } catch (problem) {
    if (problem.code === "stale_version") await stale();
    else told(problem.detail, true);
  }
}

/** Somebody else changed the case: say so and show it as it is now. What was typed stays. */
async function stale() {
  await open(opened.id, { keep: true });
  told("案件刚被他人修改或有新的取证并入，已重新载入；您填写的内容仍在，请核对后再提交。", true);
}

byId("back").addEventListener("click", close);
keys({
  next: () => list.step(1),
  previous: () => list.step(-1),
  open: () => list.openMarked(),
  close: () => (decisions.disarm() || pictures.calm() || close()),
  arm: (verbs) => opened && decisions.arm(verbs),
  digit: (number) => decisions.reason(number) || (opened && pictures.face(number)),
  unmask: () => opened && pictures.unmask(),
  waste: () => opened && pictures.waste(),
  draw: () => opened && pictures.draw(),
  enlarge: () => opened && pictures.enlarge(),
  merge: () => opened && more.merge(),
  split: () => opened && more.split(),
  hold: () => opened && more.hold(),
  notice: () => opened && more.notice(),
  answer: () => opened && more.answer(),
  photo: (step) => opened && pictures.step(step),
  help: () => byId("keys-dialog").showModal(),
});
list.start();
// Other pages point to a case by its id behind the hash.
const meant = () => /^#[0-9a-f]{24}$/.test(location.hash) && open(location.hash.slice(1));
addEventListener("hashchange", meant);
meant();
