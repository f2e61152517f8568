// Deciding in two steps: a verb is taken up, with the reasons that fit it, and then sent. What is typed is kept.
import { byId, make } from "/static/accounts/ways.js";

const KEYS = { confirm: "C", countersign: "C", propose_penalty: "P", reject: "X", send_back: "B", reopen: "R" };
const TONES = { reject: "danger", send_back: "danger", propose_penalty: "strong", countersign: "strong", confirm: "calm", reopen: "calm" };
const NEEDS_REASON = ["reject", "send_back", "reopen"];

export function deciding(page, { decide, done, stale }) {
  const form = byId("deciding");
  const { reason, site_visit: visit } = form.elements;
  const message = byId("message");
  const verbs = byId("verbs");
  const quick = JSON.parse(page.dataset.reasons);
  let found = null;
  let armed = null; // the verb that was taken up
  let busy = false;

  const place = () => `qingxu-review-${found.id}`;
  const keep = () => sessionStorage.setItem(place(), JSON.stringify({ reason: reason.value, visit: visit.value }));

  function show(shown) {
    const same = found?.id === shown.id;
    found = shown;
    if (!same || !shown.verbs.some((each) => each.verb === armed)) armed = null;
    if (!same) {
      const kept = JSON.parse(sessionStorage.getItem(place()) ?? "{}");
      reason.value = kept.reason ?? "";
      visit.value = kept.visit ?? "";
      message.textContent = "";
    }
    draw();
  }

  function offered() {
    return (found?.verbs ?? []).filter((each) => KEYS[each.verb]);
  }

  function draw() {
    const all = offered();
    form.hidden = !all.length;
    form.classList.toggle("armed", Boolean(armed));
    byId("visit").hidden = !(found?.needs_visit && all.some((each) => each.verb === "propose_penalty"));
    byId("reasons").replaceChildren(...(quick[armed] ?? []).map((words, index) => {
      const chip = make("button", { type: "button", className: "chip" }, make("kbd", {}, String(index + 1)), words);
      chip.addEventListener("click", () => take(words));
      return chip;
    }));
    byId("reasons").hidden = !armed;
    const held = document.activeElement?.id === "send";
    if (!armed) {
      verbs.replaceChildren(...all.map((each) => {
        const button = make("button", { type: "button", className: `verb ${TONES[each.verb]}` }, each.title, make("kbd", {}, KEYS[each.verb]));
        button.dataset.verb = each.verb;
        button.addEventListener("click", () => arm([each.verb]));
        return button;
      }));
      return;
    }
    const title = all.find((each) => each.verb === armed).title;
    const send = make("button", { type: "submit", className: `verb ${TONES[armed]}`, id: "send" }, `提交：${title}`, make("kbd", {}, "Enter"));
    const cancel = make("button", { type: "button", className: "plain" }, "取消 ", make("kbd", {}, "Esc"));
    cancel.addEventListener("click", disarm);
    send.disabled = busy;
    verbs.replaceChildren(send, cancel);
    if (held) send.focus();
  }

  /** Take up the first of these verbs that the person may use now. */
  function arm(wanted) {
    const verb = offered().find((each) => wanted.includes(each.verb));
    if (!verb || busy) return;
    armed = verb.verb;
    message.textContent = "";
    draw();
    byId("send").focus();
  }

  /** Lay down a verb that was taken up; says whether there was one. */
  function disarm() {
    if (!armed || busy) return false;
    armed = null;
    message.textContent = "";
    draw();
    return true;
  }

  function take(words) {
    reason.value = reason.value && !reason.value.includes(words) ? `${reason.value}；${words}` : reason.value || words;
    keep();
    byId("send")?.focus();
  }

  form.addEventListener("input", keep);
  reason.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && armed) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!armed || busy) return;
    if (NEEDS_REASON.includes(armed) && !reason.value.trim()) {
      message.textContent = "请填写理由，或按数字键选用常用理由。";
      reason.focus();
      return;
    }
    busy = true;
    draw();
    message.textContent = "";
    const of = found;
    const title = offered().find((each) => each.verb === armed).title;
    try {
      const body = { verb: armed, reason: reason.value.trim(), site_visit: byId("visit").hidden ? "" : visit.value.trim() };
      const after = await decide(body);
      sessionStorage.removeItem(`qingxu-review-${of.id}`);
      busy = false;
      armed = null;
      found = null;
      done(after, title);
    } catch (problem) {
      busy = false;
      draw();
      byId("send")?.focus(); // whoever works by keys goes on where the answer came
      if (problem.code === "stale_version") await stale();
      else {
        qingxu.show(message, problem);
        if (problem.fields?.site_visit) visit.focus();
        else if (problem.fields?.reason) reason.focus();
      }
    }
  });

  /** Take the reason of that number, while a verb is taken up; says whether one is. */
  function byNumber(number) {
    if (!armed) return false;
    const words = quick[armed]?.[number - 1];
    if (words) take(words);
    return true;
  }

  return { show, arm, disarm, reason: byNumber };
}
