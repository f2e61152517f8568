/* Room for people: kiosk, carousel, keyboard, periods, panels enlarged, the sound of alerts, the reload at night. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element } = cockpit;
  const QUIET_MILLISECONDS = 60000; // so long after the last touch the carousel goes on
  const POINTER_MILLISECONDS = 3000; // a kiosk shows the pointer while it moves
  const USUAL_ROTATION = "20";
  const NIGHT_HOUR = 3; // when a kiosk loads itself anew, in the time of Shanghai
  const YOUNGEST_RELOADED = 2 * 3600 * 1000;
  const SOUND = "cockpit.sound";
  const KEYS = [
    ["1 – 9", "选择主题"], ["← →", "上一个、下一个主题"], ["↑ ↓", "翻看两侧面板"], ["空格", "开始或停止轮播"], ["F", "进入或退出大屏模式"],
    ["M", "打开或关闭预警提示音"], ["P", "导出本页为 PDF"], ["回车", "放大选中的面板"], ["Esc", "返回"], ["?", "显示本说明"],
  ];

  let plan = null;
  let touchedAt = -Infinity;
  let shown = { theme: "", seconds: 0 };
  let enlarged = null;
  const root = document.documentElement;
  const openedAt = Date.now();
  const node = (id) => document.getElementById(id);
  const chosen = () => cockpit.state || {};

  // --- Whether somebody is there -------------------------------------------------------------------------------

  let pointer = null;
  function touched(event) {
    if (event.type === "pointermove" && !event.movementX && !event.movementY) return; // the page moved and not the hand
    touchedAt = performance.now();
    if (!event.type.startsWith("pointer")) return;
    root.dataset.pointer = "";
    clearTimeout(pointer);
    pointer = setTimeout(() => delete root.dataset.pointer, POINTER_MILLISECONDS);
  }
  for (const type of ["pointermove", "pointerdown", "wheel", "keydown", "touchstart"]) {
    addEventListener(type, touched, { capture: true, passive: true });
  }
  const busy = () => performance.now() - touchedAt < QUIET_MILLISECONDS || Boolean(node("overlay").firstChild);

  // --- Carousel ------------------------------------------------------------------------------------------------

  function step(by) {
    const at = plan.themes.findIndex((each) => each.name === chosen().theme);
    const next = plan.themes[(at + by + plan.themes.length) % plan.themes.length];
    if (next && next.name !== chosen().theme) cockpit.go({ theme: next.name });
  }

  setInterval(() => {
    if (!plan || !chosen().rotate) return;
    shown.seconds = busy() ? 0 : shown.seconds + 1;
    root.dataset.carousel = busy() ? "waiting" : "running";
    if (shown.seconds < chosen().rotate) return;
    shown.seconds = 0;
    step(1);
  }, 1000);

  function toggleCarousel() {
    const on = !chosen().rotate;
    if (on) touchedAt = -Infinity; // who starts it wants it to start
    cockpit.go({ rotate: on ? USUAL_ROTATION : "" });
  }

  // --- Kiosk ---------------------------------------------------------------------------------------------------

  function toggleKiosk() {
    const on = !chosen().kiosk;
    cockpit.go({ kiosk: on ? "1" : "" });
    const change = on ? document.documentElement.requestFullscreen?.() : document.fullscreenElement && document.exitFullscreen();
    if (change) change.catch(() => {}); // the browser may refuse; the page is a kiosk all the same
  }

  const nightMinute = Math.floor(Math.random() * 50); // not all screens at once
  setInterval(async () => {
    const [hour, minute] = new Date().toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hourCycle: "h23" }).split(":").map(Number);
    if (!chosen().kiosk || hour !== NIGHT_HOUR || minute < nightMinute || Date.now() - openedAt < YOUNGEST_RELOADED) return;
    const there = await fetch(`${plan.data}plan`).then((answer) => answer.ok, () => false);
    if (there) location.reload(); // a page that cannot be had again is kept
  }, 60000);

  // --- Enlarged panels and help --------------------------------------------------------------------------------

  function open(dialog) {
    close();
    node("overlay").replaceChildren(dialog);
  }

  function close() {
    const was = enlarged;
    enlarged = null;
    if (was) was.hole.replaceWith(was.section);
    node("overlay").replaceChildren();
    if (was) was.section.focus({ preventScroll: true });
    return Boolean(was);
  }

  /** Show a panel large; it is moved and not copied, so that it goes on living. */
  function enlarge(section) {
    close();
    const hole = element("div", { class: "panel panel-hole" });
    section.replaceWith(hole);
    enlarged = { section, hole };
    node("overlay").replaceChildren(element("div", { class: "enlarged", role: "dialog", "aria-modal": "true", "aria-label": section.getAttribute("aria-label") }, section));
    section.focus({ preventScroll: true });
  }

  function help() {
    const rows = KEYS.flatMap(([key, does]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, does)]);
    open(element("div", { class: "help", role: "dialog", "aria-modal": "true", "aria-label": "键盘操作", tabindex: "-1" }, element("h2", {}, "键盘操作"), element("dl", {}, ...rows)));
  }

  // --- Links for guests ----------------------------------------------------------------------------------------

  const ask = (path, options = {}) => fetch(`${plan.data}guests${path}`, { cache: "no-store", ...options }).then((answer) => answer.ok ? answer.json() : null, () => null);
  const post = (path, content) => ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });

  /** Make a link that shows this page to people without an account, and look after those there are. */
  async function invite() {
    const theme = plan.themes.find((each) => each.name === chosen().theme);
    const title = element("input", { type: "text", maxlength: 60, placeholder: "给谁用，例如：会议室大屏", "aria-label": "说明" });
    const days = element("select", { "aria-label": "有效期" }, ...Object.entries(plan.invites).map(([value, text]) => element("option", { value }, text)));
    const list = element("div", { class: "invite-list" });
    const form = element("form", { class: "invite-form", onsubmit: async (event) => {
      event.preventDefault();
      const made = await post("", { theme: theme.name, area: chosen().area, days: Number(days.value), title: title.value });
      title.value = "";
      list.dataset.said = made ? "" : "未能生成，请检查权限和区域后重试。";
      await draw();
    } }, title, days, element("button", { type: "submit" }, "生成链接"));
    open(element("div", { class: "help invite", role: "dialog", "aria-modal": "true", "aria-label": "访客链接", tabindex: "-1" },
      element("h2", {}, `访客链接 · ${theme.title}`),
      element("p", {}, "持链接者无需登录即可查看本页（大屏模式、仅当前区域、只读、不含照片和明细），到期或撤销后立即失效。每次打开都有记录。"), form, list));
    title.focus();

    async function draw() {
      const links = (await ask("")) || [];
      list.replaceChildren(element("p", { class: "invite-said" }, list.dataset.said || ""), ...links.map((link) => {
        const over = link.revoked || Date.parse(link.expires_at) <= Date.now();
        const state = link.revoked ? "已撤销" : over ? "已到期" : `至 ${cockpit.timeText(link.expires_at)}`;
        const address = element("input", { type: "text", readonly: "", value: link.address, "aria-label": "链接地址", onfocus: (event) => event.target.select() });
        const end = element("button", { type: "button", onclick: async () => { await post(`/${link.id}/revoke`, {}); await draw(); } }, "撤销");
        return element("div", { class: over ? "invite-link is-over" : "invite-link" },
          element("strong", {}, `${link.theme} · ${link.area}`), element("span", {}, link.title || "—"), element("span", {}, state),
          element("span", {}, `打开 ${link.views} 次`), ...(over ? [] : [address, end]));
      }));
    }
    await draw();
  }

  // --- Sound ---------------------------------------------------------------------------------------------------

  const soundOn = () => localStorage.getItem(SOUND) === "on";
  let audio = null;

  function toggleSound() {
    localStorage.setItem(SOUND, soundOn() ? "off" : "on");
    drawSwitches();
    if (soundOn()) ring();
  }

  function ring() {
    audio = audio || new AudioContext();
    audio.resume().catch(() => {});
    [880, 1175].forEach((pitch, i) => {
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      const at = audio.currentTime + i * 0.22;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.22);
    });
  }
  document.addEventListener("cockpit:news", () => soundOn() && ring());

  // --- Head of the page ----------------------------------------------------------------------------------------

  function drawSwitches() {
    const switches = [
      ["carousel", "轮播（空格）", chosen().rotate > 0, toggleCarousel],
      ["sound", "预警提示音（M）", soundOn(), toggleSound],
      ["kiosk", "大屏模式（F）", chosen().kiosk, toggleKiosk],
      ["print", "导出本页（P）", null, () => cockpit.take.print()],
      ...(plan.invites ? [["invite", "访客链接", null, invite]] : []),
      ["help", "键盘操作（?）", null, help],
    ];
    node("switches").replaceChildren(...switches.map(([name, title, on, act]) =>
      element("button", { class: `switch switch-${name}`, title, "aria-label": title, "aria-pressed": on === null ? null : String(Boolean(on)), onclick: act })));
  }

  function periodText() {
    const { period, since, until } = chosen();
    const day = (text) => text.split("-").map(Number).slice(1).join("/");
    return period === "range" ? `${day(since)}–${day(until)}` : plan.periods[period];
  }

  cockpit.periodText = periodText;

  function drawPeriods() {
    const { period, since, until } = chosen();
    const today = new Date().toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
    const buttons = Object.entries(plan.periods).map(([name, title]) => element("button", {
      class: name === period ? "period is-chosen" : "period", "aria-pressed": String(name === period),
      onclick: () => name === "range" ? form.toggleAttribute("hidden") : cockpit.go({ period: name, since: "", until: "" }),
    }, name === "range" && period === "range" ? periodText() : title));
    const [first, last] = [["since", since || `${today.slice(0, 8)}01`, "起始日期"], ["until", until || today, "结束日期"]].map(([name, value, label]) =>
      element("input", { type: "date", name, value, max: today, required: "", "aria-label": label }));
    const form = element("form", { class: "period-range", hidden: "hidden", onsubmit: (event) => {
      event.preventDefault();
      const [from, to] = [first.value, last.value].sort();
      cockpit.go({ period: "range", since: from, until: to });
    } }, first, "至", last, element("button", { type: "submit" }, "查看"));
    node("periods").replaceChildren(...buttons, form);
  }

  /** Follow the page's state: called at each change of it. */
  function enter(given, theme) {
    plan = given;
    const { kiosk, rotate } = chosen();
    if (enlarged || node("overlay").firstChild) close();
    if (shown.theme !== chosen().theme) shown = { theme: chosen().theme, seconds: 0 };
    root.toggleAttribute("data-kiosk", kiosk);
    root.toggleAttribute("data-guest", plan.guest);
    if (!rotate) delete root.dataset.carousel;
    node("page-name").textContent = theme ? `${theme.title} · ${periodText()}` : "";
    drawSwitches();
    drawPeriods();
  }

  // --- Keyboard and pointer ------------------------------------------------------------------------------------

  const inField = (target) => target.closest("input, select, textarea, [contenteditable]");
  const onControl = (target) => target.closest("button, a, [role='button']");

  document.addEventListener("keydown", (event) => {
    if (!plan || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, target } = event;
    if (key === "Escape") {
      if (node("overlay").firstChild) close();
      else if (chosen().kiosk && !plan.guest) toggleKiosk();
      return;
    }
    if (inField(target)) return;
    const theme = /^[1-9]$/.test(key) && plan.themes[Number(key) - 1];
    const panel = target.closest(".panel");
    if (theme) cockpit.go({ theme: theme.name });
    else if (key === "Enter" && panel === target && !enlarged) enlarge(panel);
    else if (key === " " && !onControl(target)) toggleCarousel();
    else if (plan.guest) return; // who looks by a link has a picture and no controls
    else if (key === "f" || key === "F") toggleKiosk();
    else if (key === "m" || key === "M") toggleSound();
    else if (key === "p" || key === "P") cockpit.take.print();
    else if (key === "?" || key === "？") help();
    else if (target.closest(".leaflet-container")) return; // there the arrows move the map
    else if (key === "ArrowLeft") step(-1);
    else if (key === "ArrowRight") step(1);
    else if (key === "ArrowUp" || key === "ArrowDown") cockpit.sides.turnBoth(key === "ArrowDown" ? 1 : -1);
    else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const head = event.target.closest(".side .panel-head");
    if (head && !event.target.closest("button:not(.panel-enlarge), a")) return enlarge(head.closest(".panel"));
    const within = event.target.closest(".enlarged .panel, .help, .drill");
    if (event.target.closest(".enlarged .panel-enlarge") || (event.target.closest("#overlay") && !within)) close();
  });

  cockpit.room = { enter, busy, enlarge, open, close };
})();
