// The page: a list on the left, one order on the right; all by mouse, by finger or by keys.
import { acting } from "./acting.js";
import { queue } from "./queue.js";
import { reporting } from "./reporting.js";
import { show } from "./showing.js";
import { ORDERS } from "./api.js";
import { byId } from "/static/accounts/ways.js";

const work = byId("work");
let opened = null;

const list = queue(open);
const acts = acting(async (after) => {
  if (after) shown(after);
  else if (opened) await open(opened);
  list.refresh();
});
reporting(async (id) => {
  await open(id);
  list.refresh();
});

function shown(order) {
  if (opened !== order.id) {
    opened = order.id;
    history.replaceState(null, "", `#${order.id}`);
    list.mark(order.id);
  }
  show(order);
  acts.show(order);
}

async function open(id) {
  list.mark(id);
  const same = opened === id;
  try {
    const order = await qingxu.call("GET", `${ORDERS}/${id}`);
    work.classList.add("has-order");
    shown(order);
    if (!same) byId("order-title").focus({ preventScroll: true });
  } catch (problem) {
    byId("queue-message").hidden = false;
    byId("queue-message").textContent = problem.detail;
  }
}

function close() {
  if (acts.disarm()) return;
  work.classList.remove("has-order");
  byId("opened").hidden = true;
  byId("nothing").hidden = false;
  opened = null;
  history.replaceState(null, "", location.pathname);
}

byId("back").addEventListener("click", close);
addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches?.("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    close();
    return;
  }
  if (typing) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = {
    j: () => list.step(1),
    k: () => list.step(-1),
    d: acts.dispatch,
    r: acts.reply,
    t: () => acts.key("take"),
    c: () => acts.key("close"),
    x: () => acts.key("send_back", "dismiss", "return"),
    " ": event.target.closest("button, a, summary, label") && !event.target.closest("#orders") ? null : () => list.pickMarked(),
    "?": () => byId("keys").showModal(),
    "？": () => byId("keys").showModal(),
    Enter: event.target.closest("button, a, summary") ? null : () => list.openMarked(),
  }[key];
  if (!act) return;
  event.preventDefault();
  act();
});

await list.start();
if (/^#[0-9a-f]{24}$/.test(location.hash)) open(location.hash.slice(1));
