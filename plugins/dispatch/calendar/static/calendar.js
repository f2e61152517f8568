// The duty calendar of a district, year by year.
const YEARS = "/api/v1/duty-years";
const DAYS = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
const TITLES = { holiday: "休息", workday: "上班（调休）" };
const byId = (id) => document.getElementById(id);
const work = byId("work");
const keeps = work.hasAttribute("data-keep");
const message = byId("message");
const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(new Date());
let years = [];
let year = null;
let days = new Map(); // date -> {date, kind, name}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const pad = (number) => String(number).padStart(2, "0");
// Monday first. The day of a date alone is the same everywhere when it is read as UTC.
const weekday = (date) => (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;

async function load(wanted) {
  let found;
  try {
    found = await qingxu.call("GET", YEARS);
  } catch (problem) {
    byId("unknown").hidden = false;
    byId("unknown").textContent = problem.detail;
    return;
  }
  years = found.items.filter((each) => each.area === work.dataset.district);
  const missing = found.unknown_years;
  byId("unknown").hidden = !missing.length;
  byId("unknown").textContent = `${missing.map((each) => `${each} 年`).join("、")}的节假日尚未录入，其间的时限暂按星期计算。`;
  byId("years").replaceChildren(...years.map((each) => {
    const tab = make("button", { type: "button" }, `${each.year} 年`);
    tab.addEventListener("click", () => show(each));
    return tab;
  }));
  if (keeps) byId("new-year").value = missing[0] ?? Math.max(Number(today.slice(0, 4)), ...years.map((each) => each.year + 1));
  const current = years.find((each) => each.year === (wanted ?? Number(today.slice(0, 4)))) ?? years[0];
  if (current) show(current);
}

function show(chosen) {
  year = chosen;
  days = new Map(year.days.map((each) => [each.date, each]));
  byId("year").hidden = false;
  [...byId("years").children].forEach((tab, index) => tab.setAttribute("aria-pressed", String(years[index] === year)));
  byId("week").replaceChildren(...DAYS.map((words, index) => make("label", {}, words, make("input", { value: year.week[index].join(" "), readOnly: !keeps, placeholder: "休息" }))));
  byId("source").value = year.source ?? "";
  byId("source").readOnly = !keeps;
  message.textContent = "";
  draw();
}

function draw() {
  byId("months").replaceChildren(...Array.from({ length: 12 }, (_, index) => month(index + 1)));
}

function month(number) {
  const first = `${year.year}-${pad(number)}-01`;
  const count = new Date(Date.UTC(year.year, number, 0)).getUTCDate();
  const cells = Array.from({ length: weekday(first) }, () => make("span"));
  for (let day = 1; day <= count; day += 1) cells.push(cell(`${year.year}-${pad(number)}-${pad(day)}`, day));
  return make("div", { className: "month" }, make("h2", {}, `${number} 月`), make("div", { className: "days" }, ...DAYS.map((words) => make("i", {}, words.slice(1))), ...cells));
}

function cell(date, number) {
  const named = days.get(date);
  const free = !year.week[weekday(date)].length;
  const kind = named?.kind ?? (free ? "off" : "");
  const words = named ? `${TITLES[named.kind]}${named.name ? ` · ${named.name}` : ""}` : free ? "休息" : "上班";
  const button = make("button", { type: "button", className: `${kind}${date === today ? " today" : ""}`, title: words, ariaLabel: `${date} ${words}`, disabled: !keeps }, String(number));
  button.dataset.date = date;
  button.addEventListener("click", () => {
    if (days.has(date)) days.delete(date);
    else days.set(date, { date, kind: free ? "workday" : "holiday", name: byId("name").value.trim() });
    message.textContent = "有未保存的修改。";
    message.classList.remove("good");
    draw();
    byId("months").querySelector(`[data-date="${date}"]`).focus();
  });
  return button;
}

async function ask(action, done) {
  try {
    await action();
    await load(year?.year);
    message.textContent = done;
    message.classList.add("good");
  } catch (problem) {
    qingxu.show(message, problem);
  }
}

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  const week = [...byId("week").querySelectorAll("input")].map((input) => input.value.trim().split(/[\s,，、]+/).filter(Boolean));
  const values = { week, days: [...days.values()], source: byId("source").value.trim() };
  ask(() => qingxu.call("PATCH", `${YEARS}/${year.id}`, values, { "If-Match": `"${year.etag}"` }), "已保存，未办结的时限正在重新计算。");
});
byId("undo")?.addEventListener("click", () => show(year));
byId("add-year")?.addEventListener("click", async () => {
  const number = Number(byId("new-year").value);
  try {
    await qingxu.call("POST", YEARS, { area: work.dataset.district, year: number, week: year?.week }, { "Idempotency-Key": crypto.randomUUID() });
    await load(number);
  } catch (problem) {
    byId("unknown").hidden = false;
    byId("unknown").textContent = Object.values(problem.fields ?? {}).flat().join(" ") || problem.detail;
  }
});
byId("file")?.addEventListener("change", (event) => ask(async () => {
  const body = new FormData();
  body.set("file", event.target.files[0]);
  event.target.value = "";
  const answer = await fetch(`${YEARS}/${year.id}/days?mode=all`, { method: "POST", credentials: "same-origin", headers: { "If-Match": `"${year.etag}"` }, body });
  const content = await answer.json();
  if (!answer.ok) throw content;
  if (content.faults.length) throw { detail: content.faults.slice(0, 3).map((each) => `第 ${each.line} 行${each.label}：${each.reason}`).join(" ") };
}, "已导入。"));

load();
