/* The offices' view: rounds as a list, one as a report. */
"use strict";
const at = (id) => document.getElementById(id);
const zone = { timeZone: "Asia/Shanghai", hour12: false };
const clock = (moment) => new Date(moment).toLocaleTimeString("zh-CN", { ...zone, hour: "2-digit", minute: "2-digit" });
/** Return when a window ends: midnight is the end of its day. */
const ending = (moment) => (clock(moment) === "00:00" ? "24:00" : clock(moment));
const made = (tag, className, text) => Object.assign(document.createElement(tag), { className: className ?? "", textContent: text ?? "" });
const today = new Date().toLocaleDateString("sv-SE", zone);
const TONES = { finished: "good", partial: "warm", missed: "late" };
let cursor = null;

const query = () => {
  const asked = new URLSearchParams(new FormData(at("search")));
  for (const [name, value] of [...asked]) if (!value) asked.delete(name);
  return asked;
};
const line = (round) => {
  const item = made("li"), card = made("button", "row");
  card.type = "button";
  const words = made("span", "words");
  words.append(made("b", "", round.plan_name), made("small", "", `${round.area_name} · ${round.supervisor_name ?? "未指派"} · ${round.day.slice(5)} ${clock(round.starts_at)}–${ending(round.ends_at)}`));
  const tags = made("span", "tags");
  tags.append(made("i", `tag ${TONES[round.state] ?? "calm"}`, round.state_title), made("i", "tag calm", `${round.done}/${round.total}`));
  if (round.findings) tags.append(made("i", "tag warm", `问题 ${round.findings}`));
  if (round.flagged) tags.append(Object.assign(made("i", "tag late", "存疑"), { title: round.doubts }));
  if (round.refused) tags.append(made("i", "tag late", `未采信 ${round.refused}`));
  card.append(words, tags);
  card.addEventListener("click", () => open(round.id));
  item.append(card);
  return item;
};
const list = async (more = false) => {
  const asked = query();
  if (more && cursor) asked.set("cursor", cursor);
  if (at("export")) at("export").href = `/api/v1/patrol-rounds/export?${query()}`;
  try {
    const page = await qingxu.call("GET", `/api/v1/patrol-rounds?${asked}`);
    cursor = page.next_cursor;
    at("rounds")[more ? "append" : "replaceChildren"](...page.items.map(line));
    at("more").hidden = !cursor;
    at("message").textContent = at("rounds").children.length ? "" : "没有符合条件的巡检。";
  } catch (problem) { qingxu.show(at("message"), problem); }
};

const photo = (round, sha256) => {
  const link = Object.assign(made("a"), { href: `/api/v1/patrol-rounds/${round}/photos/${sha256}`, target: "_blank", rel: "noopener" });
  link.append(Object.assign(made("img"), { src: link.href, alt: "巡检照片", loading: "lazy" }));
  return link;
};
const facts = (checkIn) => [
  `${clock(checkIn.at)} 打卡`,
  `停留 ${Math.round((new Date(checkIn.until) - new Date(checkIn.at)) / 1000)} 秒`,
  checkIn.distance === null ? "无定位" : `距点位 ${Math.round(checkIn.distance)} 米（误差 ${Math.round(checkIn.accuracy ?? 0)} 米）`,
  checkIn.code_way ? "已扫码" : "",
  checkIn.speed > 40 ? `速度 ${Math.round(checkIn.speed)} km/h` : "",
  new Date(checkIn.received_at) - new Date(checkIn.until) > 300_000 ? `${clock(checkIn.received_at)} 上传` : "",
].filter(Boolean).join(" · ");
const stopLine = (round, stop) => {
  const item = made("li", stop.checked_at ? "done" : "");
  item.append(made("b", "", stop.name), made("i", stop.checked_at ? "tag good" : "tag late", stop.checked_at ? clock(stop.checked_at) : "未打卡"));
  for (const each of round.check_ins.filter((one) => one.point === stop.point && one.outcome !== "refused")) {
    item.append(made("p", "quiet", facts(each)));
    if (each.flags.length) item.append(made("p", "doubt", `存疑：${each.flags.map((flag) => flag.title).join("、")}`));
    for (const answer of each.answers.filter((one) => !one.ok)) {
      item.append(made("p", "doubt", `${answer.title}：有问题${answer.note ? `（${answer.note}）` : ""}，扣 ${answer.points} 分`));
    }
    const pictures = made("div", "pictures");
    pictures.append(...each.photos.map((sha256) => photo(round.id, sha256)));
    if (each.photos.length) item.append(pictures);
  }
  return item;
};
const open = async (id) => {
  try {
    const round = await qingxu.call("GET", `/api/v1/patrol-rounds/${id}`);
    at("report-title").textContent = `${round.plan_name} · ${round.state_title}`;
    at("report-facts").textContent = `${round.area_name} · ${round.supervisor_name ?? "未指派"} · ${round.day} ${clock(round.starts_at)}–${ending(round.ends_at)} · 打卡 ${round.done}/${round.total} · 问题 ${round.findings} · 上报 ${round.reports}`;
    at("report-summary").hidden = !round.summary;
    at("report-summary").textContent = round.summary ?? "";
    at("report-stops").replaceChildren(...round.stops.map((stop) => stopLine(round, stop)));
    at("report-alerts").hidden = !round.reported.length;
    at("report-alerts").querySelector("ul").replaceChildren(...round.reported.map((each) => made("li", "", `${clock(each.at)} ${each.kind_name} ${each.point} ${each.alert_number || "未生成预警"}${each.note ? `：${each.note}` : ""}`)));
    const refused = round.check_ins.filter((each) => each.outcome === "refused");
    at("report-refused").hidden = !refused.length;
    at("report-refused").querySelector("ul").replaceChildren(...refused.map((each) => made("li", "", `${clock(each.received_at)} ${each.point_name}：${each.problem.detail}`)));
    if (!at("report").open) at("report").showModal();
    at("report-title").focus();
  } catch (problem) { qingxu.show(at("message"), problem); }
};

const narrow = (path, name) => {
  at("within").value = path;
  at("narrowed").hidden = !path;
  at("narrowed").querySelector("span").textContent = name;
  list();
};
for (const button of document.querySelectorAll("[data-within]")) button.addEventListener("click", () => narrow(button.dataset.within, button.textContent));
at("widen").addEventListener("click", () => narrow("", ""));
at("search").addEventListener("submit", (event) => { event.preventDefault(); list(); });
at("more").addEventListener("click", () => list(true));
at("report").querySelector(".close").addEventListener("click", () => at("report").close());
at("since").value = at("until").value = today;
list();
