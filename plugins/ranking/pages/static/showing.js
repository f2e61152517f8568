// One charge: what it is for, what was booked; and a compound's month.
import { STATEMENTS, monthOf, signed, tone } from "./api.js";
import { byId, make, moment, thumbs } from "/static/accounts/ways.js";

const fact = (name, ...content) => make("div", {}, make("dt", {}, name), make("dd", {}, ...content));

export function show(charge) {
  byId("nothing").hidden = true;
  byId("opened").hidden = false;
  byId("charge-title").textContent = charge.title;
  byId("charge-place").textContent = `${charge.compound_name}（${charge.compound}） · ${charge.state_title}`;
  byId("charge-points").textContent = `${signed(charge.net)} 分`;
  byId("charge-points").className = tone(charge.net);
  byId("charge-note").textContent = charge.note ?? "";
  byId("charge-note").hidden = !charge.note;
  const number = charge.link && charge.source !== "manual" ? make("a", { href: charge.link }, charge.number) : charge.number;
  const facts = [
    fact("证据来源", `${charge.source_title} `, number),
    fact("依据细则", `${charge.rule}（第 ${charge.edition} 版），${signed(charge.points)} 分`),
    fact("发生时间", moment(charge.occurred_at)),
    fact("记入时间", moment(charge.booked_at)),
  ];
  if (charge.given_name) facts.push(fact("检查人", charge.given_name));
  if (charge.capped) facts.push(fact("实计", `${signed(charge.net)} 分，已达细则上限`));
  if (charge.why) facts.push(fact("冲销原因", charge.why));
  if (charge.points < 0 && charge.state === "standing" && !charge.appeal) facts.push(fact("申诉截止", moment(charge.appeal_by)));
  byId("facts").replaceChildren(...facts);
  thumbs(byId("photos"), charge.photos.map((address) => ({ address })), byId("picture"));
  byId("lines").hidden = !charge.entries.length;
  byId("lines").querySelector("ol").replaceChildren(...charge.entries.map((line) =>
    make("li", {}, make("time", {}, moment(line.entered_at)), make("b", { className: tone(line.points) }, signed(line.points)), make("span", {}, `${line.kind_title} · 第 ${line.seq} 笔`), line.note && line.note !== charge.note && make("p", {}, line.note))));
}

/** Let the month of the opened charge's compound be seen. */
export function statements(current) {
  const dialog = byId("statement");
  const month = byId("statement-month");

  async function load() {
    const { compound } = current();
    const asked = new URLSearchParams({ compound, month: month.value });
    byId("statement-export").href = `${STATEMENTS}/export?${asked}`;
    try {
      const found = await qingxu.call("GET", `${STATEMENTS}?${asked}`);
      byId("statement-title").textContent = `${found.compound_name} ${found.month}`;
      byId("statement-points").textContent = `${signed(found.points)} 分`;
      byId("statement-points").className = tone(found.points);
      byId("statement-rules").replaceChildren(...found.rules.map((each) =>
        make("li", {}, make("span", {}, `${each.rule} ${each.title}`), make("small", {}, `${each.standing} 项`), make("b", { className: tone(each.points) }, signed(each.points)))));
      byId("statement-lines").replaceChildren(...found.lines.map((each) =>
        make("li", {}, make("time", {}, moment(each.occurred_at)), make("span", {}, `${each.kind_title} · ${each.title}`, each.after_month && make("i", { className: "tag calm" }, "次月后记入")), make("b", { className: tone(each.points) }, signed(each.points)))));
      if (!found.lines.length) byId("statement-lines").replaceChildren(make("li", { className: "quiet" }, "当月没有计分。"));
    } catch (problem) {
      byId("statement-title").textContent = problem.detail;
    }
  }

  month.addEventListener("change", load);
  byId("show-statement").addEventListener("click", async () => {
    const wanted = monthOf(current().occurred_at);
    if (![...month.options].some((each) => each.value === wanted)) month.append(make("option", { value: wanted }, wanted));
    month.value = wanted;
    await load();
    dialog.showModal();
  });
}
