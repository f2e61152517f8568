// One order: what it is, how far it has come, what was replied, what happened.
import { byId, left, length, make, moment } from "/static/accounts/ways.js";

const WAY = [
  ["上报", ["reported"]], ["立案", ["filed", "returned", "dismissed"]], ["派遣", ["dispatched"]],
  ["处置", ["in_progress", "rework", "suspended"]], ["核查", ["replied", "verifying"]],
  ["结案", ["closed", "forced_closed", "merged"]],
];
const ENDED = ["closed", "forced_closed", "merged", "dismissed"];

export function show(order) {
  byId("nothing").hidden = true;
  byId("opened").hidden = false;
  byId("opened").dataset.id = order.id;
  byId("order-title").textContent = `${order.title} · ${order.point_name || order.area_name}`;
  byId("order-number").textContent = `${order.number} · ${order.source_title} · ${moment(order.created_at)}`;
  byId("order-state").textContent = order.state_title;
  byId("order-state").className = `state ${order.overdue ? "late" : ENDED.includes(order.state) ? "done" : ""}`;
  const here = WAY.findIndex(([, states]) => states.includes(order.state));
  byId("way").replaceChildren(...WAY.map(([words], index) =>
    make("li", { className: index < here || order.state === "closed" ? "past" : index === here ? "here" : "" }, words)));
  byId("description").textContent = order.description ?? "";
  byId("description").hidden = !order.description;
  byId("facts").replaceChildren(...facts(order).map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))));
  source(order);
  replies(order);
  extensions(order);
  clock(order);
  byId("history").querySelector("ol").replaceChildren(...order.history.map((step) =>
    make("li", {}, make("time", {}, moment(step.at)), make("b", {}, step.title), make("span", {}, step.name), step.note && make("p", {}, step.note))));
}

// What was seen, for those who send and check. Each look is recorded, so nothing is loaded before it is asked for.
function source(order) {
  const place = byId("source");
  const box = place.lastElementChild;
  if (place.dataset.id === order.id) return; // pictures that somebody looks at stay
  place.dataset.id = order.id;
  const { dispatch, verify } = byId("work").dataset;
  const office = dispatch !== undefined || verify !== undefined;
  const link = office && order.link?.startsWith("/") ? [make("a", { className: "plain", href: order.link }, `查看${order.source_title}`)] : [];
  const look = office && order.source === "alert" ? [make("button", { type: "button", className: "plain" }, "查看预警图片")] : [];
  look[0]?.addEventListener("click", async () => {
    try {
      const alert = await qingxu.call("GET", `/api/v1/alerts/${order.source_id}`);
      const pictures = alert.pictures.filter((each) => each.address).map(picture);
      box.replaceChildren(...(pictures.length ? pictures : ["没有可查看的图片。"]), ...link);
    } catch (problem) {
      box.replaceChildren(problem.detail, ...link);
    }
  });
  box.replaceChildren(...look, ...link);
  place.hidden = !box.children.length;
}

function facts(order) {
  const found = [["区域", order.area_name]];
  if (order.unit_name) found.push(["处置单位", order.unit_name]);
  if (order.handler_name) found.push(["处置人", order.handler_name]);
  if (order.due_at) found.push(["当前时限", `${moment(order.due_at)}（${left(order.due_at)}）${order.provisional ? "，暂按星期计算" : ""}`]);
  if (order.respond_by && order.state === "dispatched") found.push(["接单时限", `${moment(order.respond_by)}（${left(order.respond_by)}）`]);
  if (order.proof_titles.length) found.push(["回单须有", order.proof_titles.join("、")]);
  if (order.on_time !== null) found.push(["办理结果", order.on_time ? "按期" : "超期"]);
  if (order.merged_into) found.push(["已并入", order.merged_into.number]);
  if (order.merged.length) found.push(["并入本单", order.merged.map((each) => each.number).join("、")]);
  return found;
}

function replies(order) {
  const place = byId("replies");
  place.hidden = !order.replies.length;
  place.lastElementChild.replaceChildren(...order.replies.map((reply, index) => {
    const check = order.checks[index];
    const far = reply.distance === null ? "未定位" : `距派单地点 ${Math.round(reply.distance)} 米`;
    return make("div", { className: "reply" },
      make("p", { className: "reply-head" }, make("b", {}, reply.name), ` ${moment(reply.at)} · `, make("span", { className: reply.distance > order.far_metres ? "bad" : "" }, far)),
      reply.note && make("p", {}, reply.note),
      make("div", { className: "pictures" }, ...reply.pictures.map(picture)),
      check && make("p", { className: check.passed ? "check good" : "check bad" }, `${check.passed ? "核查通过" : "核查不通过"} · ${check.name} ${moment(check.at)}${check.note ? `：${check.note}` : ""}`));
  }));
}

function picture(each) {
  const words = { before: "处置前", after: "处置后" }[each.stage] ?? "";
  const button = make("button", { type: "button", className: "thumb" }, make("img", { src: each.address, alt: `${words || "预警"}照片`, loading: "lazy" }), words && make("i", {}, words));
  button.addEventListener("click", () => {
    const dialog = byId("picture");
    dialog.querySelector("img").src = each.address;
    dialog.showModal();
  });
  return button;
}

function extensions(order) {
  const place = byId("extensions");
  place.hidden = !order.extensions.length;
  place.lastElementChild.replaceChildren(...order.extensions.map((each) =>
    make("p", {}, `${each.name} ${moment(each.at)} 申请延长 ${length(each.minutes)}：${each.reason}（${each.granted === null ? "待审批" : each.granted ? "同意" : "不同意"}）`)));
}

function clock(order) {
  const place = byId("clock");
  place.hidden = !order.dispatched_at;
  const { used, allowed, unit_title: unit, running } = order.limit;
  const share = Math.min(1, used / allowed);
  const bar = place.querySelector("i");
  bar.style.width = `${100 * share}%`;
  bar.className = share >= 1 ? "late" : share >= 0.5 ? "warm" : "";
  place.querySelector("p").textContent = `已用 ${length(used)}，共 ${length(allowed)}（${unit}）${running ? "" : "，计时暂停"}`;
}
