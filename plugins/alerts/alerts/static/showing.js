// What is known of the open alert.
import { ALERTS } from "./api.js";
import { byId, instant, left, make, thumbs } from "/static/accounts/ways.js";

const DONE = ["closed", "dismissed", "merged"];

export function show(alert, merge) {
  byId("title").textContent = `${alert.kind_name}${alert.count > 1 ? ` ×${alert.count}` : ""}`;
  byId("number").textContent = `${alert.number} · ${alert.severity_title} · ${alert.source_title}`;
  byId("state").textContent = alert.state_title + (alert.overdue ? "（超期）" : "");
  byId("state").className = `state ${alert.overdue ? "late" : DONE.includes(alert.state) ? "done" : ""}`;
  pictures(alert);
  byId("note").textContent = alert.note ?? "";
  byId("note").hidden = !alert.note;
  facts(alert);
  const steps = alert.timeline.map((step) => make("li", {}, make("time", {}, instant(step.at)), make("b", {}, step.title), step.note && make("span", {}, step.note)));
  byId("history").querySelector("ol").replaceChildren(...steps);
  clock(alert);
  byId("talk").hidden = !alert.talk_back;
  byId("talk").querySelector("p").textContent = alert.talk_back;
  later(byId("sightings"), alert.id, `每一次发现（${alert.count}）`, async (place) => {
    const { items, next_cursor } = await qingxu.call("GET", `${ALERTS}/${alert.id}/sightings?limit=50`);
    place.replaceChildren(...items.map((each) => make("li", {}, make("time", {}, instant(each.at)), make("b", {}, each.source_title),
      make("span", {}, [each.device, each.confidence !== null && `置信度 ${Math.round(each.confidence * 100)}%`, each.clock_doubted && "设备时钟有误，按收到时间", each.note].filter(Boolean).join("，")))));
    if (next_cursor) place.append(make("li", {}, "只列出最近 50 次。"));
  });
  later(byId("nearby"), alert.id, "附近的事件", async (place) => {
    const { items } = await qingxu.call("GET", `${ALERTS}/${alert.id}/nearby`);
    const open = ["unconfirmed", "raised"].includes(alert.state) && alert.verbs.some((each) => each.verb === "merge");
    place.replaceChildren(...items.map((each) => {
      const into = open && !DONE.includes(each.state) && make("button", { type: "button", className: "chip" }, "并入此件");
      if (into) into.addEventListener("click", () => merge(each.id));
      return make("li", {}, make("a", { href: `#${each.id}` }, each.kind_name), make("span", {}, `${each.point_name ?? ""} ${each.state_title} ${instant(each.raised_at)}`), into);
    }));
    if (!items.length) place.append(make("li", {}, "200 米内前后一天没有其他事件。"));
  });
}

function pictures(alert) {
  const place = byId("pictures");
  if (place.dataset.of === alert.id && Number(place.dataset.count) === alert.pictures.length) return;
  Object.assign(place.dataset, { of: alert.id, count: alert.pictures.length });
  const seen = alert.pictures.filter((each) => each.address);
  thumbs(place, seen.map((each) => ({ address: each.address, words: instant(each.at) })), byId("picture-dialog"));
  const hidden = alert.pictures.length - seen.length;
  if (hidden) place.append(make("p", { className: "quiet" }, `有 ${hidden} 张现场图片，您没有查看权限。`));
  place.hidden = !alert.pictures.length;
}

function facts(alert) {
  const rows = [
    ["地点", alert.point_name ? `${alert.point_name}（${alert.point}）` : "未关联点位"],
    ["发现", alert.first_at === alert.last_at ? instant(alert.first_at) : `${instant(alert.first_at)} 至 ${instant(alert.last_at)}，共 ${alert.count} 次`],
    alert.camera && ["录像", `${alert.camera.device}，${instant(alert.camera.at)}`],
    alert.confidence !== null && ["置信度", `${Math.round(alert.confidence * 100)}%`],
    ["处置", alert.role_title],
    alert.proof.length > 0 && ["回单须有", alert.proof.map((each) => each.title).join("、")],
    alert.order_number && ["派单", alert.order_number],
    alert.reason && ["结果", alert.reason],
  ].filter(Boolean);
  byId("facts").replaceChildren(...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

/** Show how much of the limit is used: that of the first response, then that of closing. */
function clock(alert) {
  const place = byId("clock");
  place.hidden = !alert.due_at;
  if (!alert.due_at) return;
  const answering = alert.state === "raised" && alert.due_at === alert.respond_by;
  const used = (Date.now() - new Date(alert.raised_at)) / (new Date(alert.due_at) - new Date(alert.raised_at));
  place.querySelector("h3").textContent = answering ? "首次响应时限" : "办结时限";
  const gauge = place.querySelector("i");
  gauge.style.width = `${Math.min(100, Math.max(2, used * 100))}%`;
  gauge.className = used >= 1 ? "late" : used >= 0.5 ? "warm" : "";
  place.querySelector("p").textContent = `${left(alert.due_at)}，${instant(alert.due_at)} 到期`;
}

/** Have a part of the page asked for when it is opened, and again for another alert. */
function later(details, id, words, load) {
  details.querySelector("summary").textContent = words;
  if (details.dataset.of !== id) {
    details.open = false;
    details.querySelector("ol").replaceChildren();
  }
  details.dataset.of = id;
  const ask = async () => {
    if (!details.open || details.dataset.of !== id) return;
    try {
      await load(details.querySelector("ol"));
    } catch (problem) {
      details.querySelector("ol").replaceChildren(make("li", {}, problem.detail));
    }
  };
  details.ontoggle = ask;
  ask();
}
