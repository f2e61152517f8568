// The page: a list on the left, one alert on the right; all by mouse, by finger or by keys.
import { acting } from "./acting.js";
import { list as makeList } from "./list.js";
import { show } from "./showing.js";
import { upkeep } from "./upkeep.js";
import { ALERTS } from "./api.js";
import { byId } from "/static/accounts/ways.js";

const work = byId("work");
let opened = null; // the id of the alert on the right
let asked = null; // the id that was asked for last: a slow answer to an earlier one is dropped

const table = upkeep(() => list.refresh());
const list = makeList({ open, upkeep: (name) => { close(); work.classList.add("has-alert"); part("upkeep"); table.show(name); } });
const acts = acting({
  done(after) {
    shown(after);
    list.refresh();
  },
  again: () => opened && open(opened),
});

function part(name) {
  for (const each of ["nothing", "opened", "upkeep"]) byId(each).hidden = each !== name;
}

function shown(alert) {
  opened = alert.id;
  part("opened");
  show(alert, (id) => acts.merge(id));
  acts.show(alert);
}

async function open(id) {
  const same = opened === id;
  asked = id;
  list.mark(id);
  let alert;
  try {
    alert = await qingxu.call("GET", `${ALERTS}/${id}`);
  } catch (problem) {
    if (asked === id) list.say(problem.detail);
    return;
  }
  if (asked !== id) return;
  work.classList.add("has-alert");
  shown(alert);
  if (same) return;
  byId("title").focus({ preventScroll: true });
  history.replaceState(null, "", `#${id}`);
  if (innerWidth <= 768) scrollTo(0, 0);
}

function close() {
  work.classList.remove("has-alert");
  part("nothing");
  opened = asked = null;
  history.replaceState(null, "", location.pathname);
}

byId("back").addEventListener("click", close);
document.addEventListener("back", close);
addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches?.("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    if (!acts.disarm()) close();
    return;
  }
  if (typing) return;
  const control = event.target.closest?.("button, a, summary, label");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = {
    j: () => list.step(1),
    k: () => list.step(-1),
    d: () => opened && acts.order(),
    c: () => opened && acts.arm("confirm", "close"),
    x: () => opened && acts.arm("dismiss"),
    m: () => opened && acts.mute(),
    " ": control && !control.closest("#alerts") ? null : () => list.pickMarked(),
    "?": () => byId("keys-dialog").showModal(),
    "？": () => byId("keys-dialog").showModal(),
    Enter: control ? null : () => list.openMarked(),
  }[key];
  if (!act) return;
  event.preventDefault();
  act();
});

/** Open the alert that the address names: from a message, a work order, or the list of those nearby. */
function follow() {
  const wanted = location.hash.slice(1) || new URLSearchParams(location.search).get("alert") || "";
  if (/^[0-9a-f]{24}$/.test(wanted) && wanted !== opened) open(wanted);
}

addEventListener("hashchange", follow);
await list.start();
follow();
