// What staff do with the open alert: send somebody, take a step with its reason, or keep it quiet.
import { ALERTS } from "./api.js";
import { byId, chips, dialog, make, send } from "/static/accounts/ways.js";

const OPEN = ["unconfirmed", "raised", "dispatched"];
const LOOK = { confirm: "calm", close: "calm", dismiss: "danger" };

export function acting({ done, again }) {
  const work = byId("work");
  const may = work.hasAttribute("data-handle");
  const reasons = JSON.parse(work.dataset.reasons);
  const message = byId("message");
  let alert = null;
  let armed = null; // {verb, title, into}

  function say(words, good = false) {
    message.textContent = words;
    message.classList.toggle("good", good);
  }

  function show(found) {
    const other = alert?.id !== found.id;
    alert = found;
    if (other) say("");
    disarm();
    byId("ordering").hidden = !may || !OPEN.includes(found.state);
    byId("order").firstChild.textContent = found.order_number ? "打开派单 " : "派单 ";
    const verbs = found.verbs.filter((each) => each.verb !== "merge");
    byId("deciding").hidden = !verbs.length;
    byId("verbs").replaceChildren(...verbs.map((each) => {
      const button = make("button", { type: "button", className: `verb ${LOOK[each.verb] ?? ""}`, dataset: { verb: each.verb } }, each.title);
      button.addEventListener("click", () => arm(each.verb));
      return button;
    }));
    if (byId("quieting")) byId("quieting").hidden = !OPEN.includes(found.state);
  }

  /** Ask for the reason of the first of the verbs that is open now. */
  function arm(...verbs) {
    const way = verbs.map((verb) => alert.verbs.find((each) => each.verb === verb)).find(Boolean);
    if (way) ask(way);
  }

  function ask(way) {
    armed = way;
    byId("deciding").hidden = byId("why").hidden = false;
    byId("verbs").hidden = true;
    byId("why").querySelector("label").textContent = `${way.title}的原因`;
    byId("send").textContent = way.title;
    byId("send").className = `primary ${LOOK[way.verb] ?? ""}`;
    chips(byId("reasons"), reasons[way.verb] ?? [], byId("reason"));
    byId("reason").focus();
  }

  function disarm() {
    const was = armed !== null;
    armed = null;
    byId("why").hidden = true;
    byId("verbs").hidden = false;
    return was;
  }

  byId("never-mind").addEventListener("click", disarm);
  byId("deciding").addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = byId("reason").value.trim();
    if (!armed) return;
    if (reason.length < 2) return say("请填写原因。");
    const { verb, title, into } = armed;
    byId("deciding").classList.add("busy");
    try {
      const after = await send("POST", `${ALERTS}/${alert.id}/${verb}`, { reason, ...(into ? { into } : {}) }, alert.etag);
      byId("reason").value = "";
      say(`已${title}。`, true);
      done(after);
    } catch (problem) {
      say(problem.code === "stale_version" ? "事件刚被他人修改，已重新载入，请核对后再提交。" : problem.detail);
      if (problem.code === "stale_version") again();
    }
    byId("deciding").classList.remove("busy");
  });

  async function order() {
    if (byId("ordering").hidden) return;
    byId("order").classList.add("busy");
    try {
      const { href } = await send("POST", `${ALERTS}/${alert.id}/order`);
      if (href) return location.assign(href);
      again();
    } catch (problem) {
      say(problem.detail);
    }
    byId("order").classList.remove("busy");
  }
  byId("order").addEventListener("click", order);

  // What a quiet window may cover: the narrowest first.
  let scopes = [];
  const mute = byId("mute") && (() => dialog(byId("mute-dialog"), async () => {
    const until = new Date(Date.now() + Number(byId("mute-hours").value) * 3_600_000).toISOString();
    const told = { area: alert.area, purpose: byId("mute-purpose").value, reason: byId("mute-reason").value.trim(), until, ...scopes[byId("mute-scope").value].match };
    await send("POST", "/api/v1/alert-quiet-windows", told);
    byId("mute-reason").value = "";
    say("已屏蔽，期间只留存记录。可在“屏蔽检修”中提前结束。", true);
  }));
  function openMute() {
    if (!mute || byId("quieting").hidden) return;
    scopes = [
      alert.point && { words: `${alert.point_name}的“${alert.kind_name}”`, match: { point: alert.point, kind: alert.kind } },
      alert.device && { words: `设备 ${alert.device} 的“${alert.kind_name}”`, match: { device: alert.device, kind: alert.kind } },
      alert.device && { words: `设备 ${alert.device} 的全部事件`, match: { device: alert.device } },
      alert.point && { words: `${alert.point_name}的全部事件`, match: { point: alert.point } },
      !alert.point && !alert.device && { words: `本区域的“${alert.kind_name}”`, match: { kind: alert.kind } },
    ].filter(Boolean);
    byId("mute-scope").replaceChildren(...scopes.map((each, number) => make("option", { value: number }, each.words)));
    mute();
  }
  byId("mute")?.addEventListener("click", openMute);

  return { show, arm, disarm, order, mute: openMute, merge: (into) => ask({ verb: "merge", title: "合并", into }) };
}
