/* The stage: one layout, scaled as a whole to any screen; the clock; lists that step by themselves. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const STEP_MILLISECONDS = 3000;
  const WALL_RATIO = 2.4; // from here on a screen is a wall of LEDs, with an arrangement of its own
  const look = getComputedStyle(document.documentElement);
  const sizes = (name) => Number(look.getPropertyValue(name));

  /** Scale by transform and never by zoom: under zoom, Plotly answers the pointer in the wrong place. */
  function fit() {
    const root = document.documentElement;
    const asked = new URLSearchParams(location.search).get("wall") === "led";
    const wall = asked || innerWidth / innerHeight >= WALL_RATIO ? "led" : "";
    const narrowest = sizes(wall ? "--wall-narrowest" : "--stage-narrowest");
    const scale = Math.min(innerHeight / sizes("--stage-high"), innerWidth / narrowest);
    root.style.setProperty("--stage-scale", scale);
    root.style.setProperty("--stage-width", `${innerWidth / scale}px`);
    root.style.setProperty("--stage-height", `${innerHeight / scale}px`);
    if ((root.dataset.wall || "") === wall) return;
    root.dataset.wall = wall;
    document.dispatchEvent(new CustomEvent("cockpit:wall"));
  }
  addEventListener("resize", fit);
  fit();
  cockpit.fit = fit;

  const clock = new Intl.DateTimeFormat("zh-CN", {
    timeZone: "Asia/Shanghai", year: "numeric", month: "long", day: "numeric", weekday: "long",
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });

  function tellTime() {
    const node = document.getElementById("clock");
    if (!node) return;
    const part = Object.fromEntries(clock.formatToParts(new Date()).map((each) => [each.type, each.value]));
    node.textContent =
      `${part.year}年${part.month}${/月/.test(part.month) ? "" : "月"}${part.day}日　${part.weekday}　` +
      `${part.hour}:${part.minute}:${part.second}`;
  }
  setInterval(tellTime, 1000);

  /** Step through lists that are longer than their panel, unless somebody points at them. */
  function stepLists() {
    for (const list of document.querySelectorAll(".scrolls")) {
      if (list.scrollHeight <= list.clientHeight + 2 || list.matches(":hover, :focus-within")) continue;
      if (list.heldUntil > performance.now()) continue;
      const line = list.firstElementChild.offsetHeight || 36;
      const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 2;
      list.scrollTo({ top: atEnd ? 0 : list.scrollTop + line, behavior: "smooth" });
    }
  }
  setInterval(stepLists, STEP_MILLISECONDS);

  /** A time in the clock of Shanghai, with its date when that is not today's. */
  cockpit.timeText = (iso) => {
    const day = (date) => date.toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai" });
    const at = new Date(iso);
    const time = at.toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hourCycle: "h23" });
    if (day(at) === day(new Date())) return time;
    const date = at.toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai", month: "numeric", day: "numeric" });
    return `${date} ${time.slice(0, 5)}`;
  };

  /** Make an element; texts go in as text and never as markup. */
  cockpit.element = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== "" && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };
})();
