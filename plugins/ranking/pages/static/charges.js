// The page: a list on the left, one charge on the right.
import { acting } from "./acting.js";
import { entering } from "./entering.js";
import { queue } from "./queue.js";
import { show, statements } from "./showing.js";
import { CHARGES } from "./api.js";
import { byId } from "/static/accounts/ways.js";

const work = byId("work");
let opened = null;

const list = queue(open);
const acts = acting(async () => {
  if (opened) await open(opened);
  list.refresh();
});
statements(() => acts.charge());
entering(async (charge) => {
  list.refresh();
  await open(charge.id);
});

async function open(id) {
  list.mark(id);
  try {
    const charge = await qingxu.call("GET", `${CHARGES}/${id}`);
    const same = opened === id;
    opened = id;
    work.classList.add("has-charge");
    show(charge);
    await acts.show(charge);
    if (!same) {
      byId("charge-title").focus({ preventScroll: true });
      history.replaceState(null, "", `#${id}`);
    }
  } catch (problem) {
    byId("queue-message").hidden = false;
    byId("queue-message").textContent = problem.detail;
  }
}

function close() {
  work.classList.remove("has-charge");
  byId("opened").hidden = true;
  byId("nothing").hidden = false;
  opened = null;
  history.replaceState(null, "", location.pathname);
}
byId("back").addEventListener("click", close);

await list.start();
if (/^#[0-9a-f]{24}$/.test(location.hash)) open(location.hash.slice(1));
