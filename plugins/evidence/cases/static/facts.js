// What is known of the open case, beside the pictures.
import { byId, clock, day, instant, make } from "/static/accounts/ways.js";

const SOURCES = { platform: "平台识别", comparison: "前后对比", detector: "模型识别", manual: "人工框选", person: "人工框选" };

export function facts(found) {
  const devices = [...new Set(found.captures.map((each) => each.device_name || each.source_title))].join("、");
  const late = Math.max(...found.captures.map((each) => each.clock_offset), 0);
  const ahead = -Math.min(...found.captures.map((each) => each.clock_offset), 0);
  const span = found.first_at === found.last_at ? instant(found.first_at) : `${instant(found.first_at)} 至 ${day(found.first_at) === day(found.last_at) ? clock(found.last_at) : instant(found.last_at)}`;
  const rows = [
    ["案号", found.number],
    ["状态", found.state_title + (found.penalty ? "（建议处罚）" : "")],
    ["时间", span],
    ["来源", `${devices}，${found.captures.length} 次取证`],
    late > 60 && ["接收", `晚于设备时间 ${late < 3600 ? `${Math.round(late / 60)} 分钟` : `${(late / 3600).toFixed(1)} 小时`}`],
    ahead > 5 && ["时钟", `设备时钟快 ${Math.round(ahead)} 秒`],
    found.merged_into && ["并入", found.merged_into.number],
    ["存证", `账本 ${found.custody.entries} 条记录`],
    found.noticed_at && ["告知", `${instant(found.noticed_at)} 出具，申辩至 ${day(found.defence_until)}`],
    ...found.holds.map((each) => ["保全", `${each.reason}（${each.name} ${instant(each.at)}）`]),
    found.state !== "waiting" && ["保存", found.retention_title + (found.delete_after ? `，至 ${day(found.delete_after)}` : "")],
  ].filter(Boolean);
  byId("facts").replaceChildren(...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

/** Say what a reviewer has to know; `open` opens a case that may be about the same person. */
export function warnings(found, open) {
  const lines = found.devices.filter((each) => each.missing.length)
    .map((each) => `${each.name}缺${each.missing.join("、")}，只能作为线索，不能建议处罚。`);
  if (found.needs_visit) lines.push("含人员上报的取证，建议处罚须填写现场核实情况。");
  if (found.held) lines.push("本案已保全，期满不删除。");
  if (found.overdue) lines.unshift("已超过办理时限。");
  for (const capture of found.captures) if (capture.note) lines.push(`${capture.source_title}说明：${capture.note}`);
  for (const capture of found.captures)
    for (const finding of capture.findings) lines.push(`${capture.device_name || capture.source_title}：${finding}`);
  const shown = [...new Set(lines)].map((line) => make("p", { className: "warning-line" }, line));
  if (found.repeats.length) {
    const numbers = found.repeats.map((each) => {
      const button = make("button", { type: "button", className: "plain" }, `${each.number}（相似 ${Math.round(each.likeness * 100)}%）`);
      button.addEventListener("click", () => open(each.case));
      return button;
    });
    shown.push(make("p", { className: "warning-line", id: "repeats" }, "可能重复违规，须人工核对：", ...numbers));
  }
  byId("warnings").replaceChildren(...shown);
}

/** Offer the faces and objects of the photo on the stage; `choose` takes the exhibit. */
export function choices(found, shown, choose) {
  const exhibits = shown?.photo.exhibits ?? [];
  const open = found.state === "waiting" && byId("review").hasAttribute("data-review");
  const all = found.captures.flatMap((capture) => capture.photos.flatMap((photo) => photo.exhibits));
  fill(byId("faces"), exhibits.filter((each) => each.kind === "face"), found.subject, (each, number) => [
    make("b", {}, String(number)), make("span", {}, faceWords(each))], "这张照片上没有找到人脸。");
  fill(byId("wastes"), exhibits.filter(isWaste), found.waste, (each) => [
    make("span", {}, `${each.label || "物品"}`), make("small", {}, SOURCES[each.source] ?? "")], "没有找到垃圾，可按 D 画框。");

  function fill(place, here, chosen, words, none) {
    const options = here.map((each, index) => {
      const button = make("button", { type: "button", className: "choice", disabled: !open }, ...words(each, index + 1));
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(each.id === chosen));
      button.addEventListener("click", () => choose(each));
      return button;
    });
    const elsewhere = chosen && !here.some((each) => each.id === chosen) && all.some((each) => each.id === chosen);
    if (elsewhere) options.push(make("p", { className: "quiet" }, "已选定，在另一张照片上。"));
    else if (!options.length) options.push(make("p", { className: "quiet" }, none));
    place.replaceChildren(...options);
  }
}

export function isWaste(exhibit) {
  return exhibit.kind === "object" && exhibit.label !== "person";
}

function faceWords(face) {
  const height = face.quality?.height ? `高 ${Math.round(face.quality.height)} 像素` : "人脸";
  return face.comparable === false ? `${height}，过小` : height;
}

export function history(found) {
  const reasons = new Map(found.decisions.map((each) => [`${each.title} ${each.at}`, each]));
  const steps = found.history.map((step) => {
    const visit = reasons.get(`${step.title} ${step.at}`)?.site_visit;
    return make("li", {}, make("b", {}, step.title), make("span", {}, `${instant(step.at)} ${step.name}`),
      step.note && make("p", {}, step.note), visit && make("p", {}, `现场核实：${visit}`));
  });
  byId("history").querySelector("ol").replaceChildren(...steps);
}

/** Show what the person concerned stated, for whoever may read it; `answers` answers, and hears what waits for it. */
export async function defences(found, answers) {
  const place = byId("defences");
  place.hidden = !found.defences;
  if (!found.defences) return;
  place.dataset.case = found.id;
  const inside = place.querySelector("div");
  try {
    const { items } = await qingxu.call("GET", `/api/v1/evidence/cases/${found.id}/defences`);
    if (place.dataset.case !== found.id) return;
    answers.wait(items.filter((each) => !each.answered_at));
    inside.replaceChildren(...items.map((each) => make("article", {},
      make("p", {}, each.text),
      make("small", { className: "quiet" }, `${instant(each.filed_at)} 提交${each.phone ? `，电话 ${each.phone}` : ""}${each.answered_at ? "" : "，待答复"} `),
      ...each.photos.map((photo, index) => make("a", { href: photo.picture, target: "_blank", rel: "noopener" }, `照片 ${index + 1} `)),
      each.answered_at ? null : answering(each),
      each.answer && make("p", { className: "answer" }, `${each.answered_name ?? ""} ${each.upheld ? "采纳" : "不采纳"}：${each.answer}`))));
  } catch (problem) {
    inside.replaceChildren(make("p", { className: "quiet" }, problem.detail));
  }

  function answering(each) {
    const button = make("button", { type: "button", className: "plain" }, "答复 ", make("kbd", {}, "A"));
    button.addEventListener("click", () => answers.answer(each));
    return button;
  }
}
