/* The supervisor's day: what is to be walked, where the next point is, and what the phone still has to send. */
"use strict";
const at = (id) => document.getElementById(id);
const day = (moment) => new Date(moment).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
const clock = (moment) => new Date(moment).toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false });
/** Return when a window ends: midnight is the end of its day. */
const ending = (moment) => (clock(moment) === "00:00" ? "24:00" : clock(moment));
const made = (tag, className, text) => Object.assign(document.createElement(tag), { className: className ?? "", textContent: text ?? "" });

const patrol = { account: at("patrol").dataset.account, today: null, chosen: "", waiting: [] };

const toast = (() => {
  let timer = 0;
  return (text) => {
    at("toast").textContent = text;
    at("toast").hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => { at("toast").hidden = true; }, 4000);
  };
})();
const trouble = (text, link) => {
  at("trouble").replaceChildren(text ?? "");
  if (link) at("trouble").append(Object.assign(made("a", "", "去登录"), { href: `/login?next=${encodeURIComponent(location.pathname)}` }));
  at("trouble").hidden = !text;
};

/** Return the rounds that count now: those of today, and those that still wait to be sent. */
const rounds = () => {
  const queued = new Set(patrol.waiting.map((each) => each.entry.round));
  return (patrol.today?.rounds ?? []).filter((each) => day(each.starts_at) === day(Date.now()) || queued.has(each.id));
};
const chosen = () => rounds().find((each) => each.id === patrol.chosen);
/** Return a stop with what the queue knows of it: a check-in that waits counts here already. */
const known = (round, stop) => {
  const waiting = patrol.waiting.find((each) => !each.problem && each.entry.kind === "check_in" && each.entry.round === round.id && each.entry.point === stop.point);
  return { ...stop, waiting: !!waiting, checked_at: stop.checked_at ?? waiting?.entry.at ?? null };
};
const nextStop = (round) => round.stops.map((stop) => known(round, stop)).find((stop) => !stop.checked_at);
const ended = (round) => ["finished", "partial"].includes(round.state) || patrol.waiting.some((each) => !each.problem && each.entry.kind === "finish" && each.entry.round === round.id);

const pick = () => {
  const all = rounds();
  if (all.some((each) => each.id === patrol.chosen)) return;
  const now = Date.now();
  const open = all.filter((each) => !ended(each) && new Date(each.ends_at) > now);
  patrol.chosen = (open.find((each) => new Date(each.starts_at) <= now) ?? open[0] ?? all.at(-1))?.id ?? "";
};

const showChoice = () => {
  const all = rounds();
  at("choose").hidden = all.length < 2;
  at("choose").replaceChildren(...all.map((each) => {
    const tab = made("button", "tab", `${clock(each.starts_at)}–${ending(each.ends_at)}`);
    tab.type = "button";
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", String(each.id === patrol.chosen));
    tab.append(made("small", "", all.some((other) => other !== each && other.starts_at === each.starts_at) ? each.plan_name : each.state_title));
    tab.addEventListener("click", () => { patrol.chosen = each.id; show(); });
    return tab;
  }));
};
const showStops = (round) => {
  at("stops").replaceChildren(...round.stops.map((plain) => {
    const stop = known(round, plain);
    const line = made("li", stop.checked_at ? "done" : "");
    const words = made("span", "words");
    words.append(made("b", "", stop.name), made("small", "", `${stop.kind_title} ${stop.point}${stop.code_required ? " · 须扫码" : ""}`));
    const state = made("span", "tag", "待打卡");
    if (stop.waiting) state.textContent = `${clock(stop.checked_at)} 待上传`;
    else if (stop.checked_at) state.textContent = clock(stop.checked_at);
    if (stop.flags.length) { state.className = "tag warm"; state.textContent += " 存疑"; state.title = stop.flags.map((flag) => flag.title).join("、"); }
    else if (stop.waiting) state.className = "tag calm";
    else if (!stop.checked_at) state.className = "tag calm";
    line.append(words, state);
    if (!ended(round)) {
      const button = made("button", "plain", stop.checked_at ? "再打卡" : "打卡");
      button.type = "button";
      button.addEventListener("click", () => acting.checkIn(round, stop));
      line.append(button);
    }
    return line;
  }));
};
const showRound = (round) => {
  at("round").hidden = !round;
  at("none").hidden = !!round;
  if (!round) {
    const [title, text] = patrol.today ? ["今天没有巡检", "有新的巡检计划时会显示在这里。"] : ["还没有取得今天的巡检", "请在有网络时打开一次本页。"];
    at("none").querySelector("h2").textContent = title;
    at("none").querySelector("p").textContent = text;
    return;
  }
  const stops = round.stops.map((stop) => known(round, stop)), done = stops.filter((stop) => stop.checked_at).length;
  at("progress").textContent = `${done} / ${round.total}`;
  at("until").textContent = ended(round) ? "已提交完成" : `${round.plan_name}，${ending(round.ends_at)} 前完成`;
  at("round").querySelector(".progress i i").style.width = `${(100 * done) / round.total}%`;
  const next = nextStop(round), card = at("next");
  card.querySelector(".kind").textContent = ended(round) ? "" : next ? `下一个点位 · ${next.kind_title} ${next.point}` : "全部点位已打卡";
  card.querySelector("h2").textContent = ended(round) ? "本次巡检已完成" : next ? next.name : "请提交完成";
  card.querySelector(".hint").textContent = ended(round) || !next ? "" : `${Math.round(next.radius)} 米以内打卡${next.code_required ? "，须扫点位码" : ""}`;
  at("check-in").hidden = ended(round) || !next;
  at("finish").disabled = ended(round) || !done;
  at("finish").classList.toggle("strong", !next && !ended(round));
  showStops(round);
};
const showQueue = () => {
  const own = patrol.waiting.filter((each) => each.account === patrol.account);
  const waiting = own.filter((each) => !each.problem), refused = own.filter((each) => each.problem);
  at("sync").hidden = !waiting.length;
  at("sync").textContent = `待上传 ${waiting.length}`;
  at("refused").hidden = !refused.length;
  at("refused").querySelector("ul").replaceChildren(...refused.map((each) => {
    const line = made("li");
    const what = { check_in: "打卡", report: "上报事件", finish: "完成巡检" }[each.entry.kind];
    line.append(made("b", "", `${clock(each.entry.at)} ${what} ${each.entry.point ?? ""}`), made("span", "", each.problem.detail));
    const button = made("button", "plain", "知道了");
    button.type = "button";
    button.addEventListener("click", async () => { await store.remove(each); await load(); });
    line.append(button);
    return line;
  }));
};
const show = () => { pick(); showChoice(); showRound(chosen()); showQueue(); };

/** Read what the phone keeps, and show it. */
const load = async () => {
  patrol.waiting = (await store.queue()).filter((each) => each.account === patrol.account);
  const kept = await store.read("today");
  patrol.today = kept?.account === patrol.account ? kept : null;
  show();
};
/** Note what the platform has taken: the network may be gone again before the day can be asked for anew. */
const remember = async (results) => {
  const kept = await store.read("today");
  if (kept?.account !== patrol.account) return;
  for (const [entry, result] of results) {
    const round = kept.rounds.find((each) => each.id === entry.round);
    if (!round || result.outcome === "refused") continue;
    const stop = round.stops.find((each) => each.point === entry.point);
    if (entry.kind === "check_in" && stop && !stop.checked_at) Object.assign(stop, { checked_at: entry.at, flags: result.flags });
    if (entry.kind === "finish") round.state = round.stops.every((each) => each.checked_at) ? "finished" : "partial";
  }
  await store.keep("today", kept);
};
const tell = (results) => {
  for (const [entry, result] of results) {
    if (result.alert_number) toast(`已上报，编号 ${result.alert_number}`);
    else if (result.outcome === "suspicious") toast(`已打卡，存疑：${result.flags.map((flag) => flag.title).join("、")}`);
    else if (result.outcome === "refused") toast(result.problem.detail);
    else if (entry.kind === "check_in") toast("打卡成功");
  }
};
/** Send what waits, then ask for the day anew; without a network the page goes on with what it has. */
const sync = async () => {
  if (!patrol.account) return trouble("请在有网络时登录一次。", true);
  const results = [];
  try {
    try {
      await queue.send(patrol.account, (entry, result) => results.push([entry, result]));
    } finally {
      if (results.length) await remember(results);
      tell(results);
    }
    const today = await qingxu.call("GET", "/api/v1/patrol/today");
    if (today.account !== patrol.account) return location.reload();
    await store.keep("today", today);
    trouble("");
  } catch (problem) {
    if (problem.code === "login_required") trouble("登录已失效，记录都保存在手机里，", true);
    else if (problem.code === "offline") trouble("没有网络。打卡和上报会保存在手机里，联网后按顺序自动上传。");
    else trouble(problem.detail ?? "页面出错，请刷新后重试。");
  }
  await load();
};

at("sync").addEventListener("click", sync);
addEventListener("online", sync);
document.addEventListener("visibilitychange", () => { if (!document.hidden) sync(); });
setInterval(() => { if (patrol.waiting.length) sync(); }, 30_000);

const begin = async () => {
  // Signed in, the page knows who it is; opened without a network it goes on as whoever it was last.
  if (patrol.account) await store.keep("account", patrol.account);
  else patrol.account = (await store.read("account")) ?? "";
  await load();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/alerts/patrol/worker.js").catch(() => {});
  await sync();
  acting.arrive();
};
addEventListener("DOMContentLoaded", begin);
