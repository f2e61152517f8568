/* The legend: layers, classes of colours, backgrounds; and the ticker of what is new. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element, timeText } = cockpit;
  const ALERTS = { hint: "提示", minor: "一般", major: "较重", critical: "严重" };
  const TICKER_KEPT = 12;
  const TICKER_MILLISECONDS = 4000;
  const CLASSES = ["#0f3a7d", "#1b5cb3", "#2b86d6", "#58b6ee", "#a9e4ff"];
  const covers = (layer) => layer.style === "areas" || layer.style === "heat";
  const newest = (one, other) => ((one.at || "") < (other.at || "") ? 1 : -1);
  const toneColour = (point, layer) => cockpit.points.toneColour(point.tone, layer);

  // --- Figures by area -----------------------------------------------------------------------------------------

  /** Put the figures of these areas into classes that hold about equally many: colours, ranges, and who is where. */
  function classes(figures, paths) {
    const { values, others, unit, title } = figures;
    const valueOf = (path) => (path in values ? values[path] : others);
    const sorted = paths.map(valueOf).filter((value) => value !== null).sort((one, other) => one - other);
    const count = Math.min(CLASSES.length, new Set(sorted).size);
    const tops = [];
    for (let i = 1; i <= count; i += 1) {
      const top = sorted[Math.ceil((i * sorted.length) / count) - 1];
      if (top !== tops[tops.length - 1]) tops.push(top);
    }
    const from = CLASSES.length - tops.length;
    const colours = tops.length < 3 ? CLASSES.filter((_, i) => i % 2 === 1).slice(-tops.length) : CLASSES.slice(Math.floor(from / 2), Math.floor(from / 2) + tops.length);
    const ranges = tops.map((top, i) => {
      const low = sorted.find((value) => i === 0 || value > tops[i - 1]);
      return low === top ? figure(top) : `${figure(low)} – ${figure(top)}`;
    });
    const classOf = (path) => { const value = valueOf(path); return value === null ? -1 : tops.findIndex((top) => value <= top); };
    const textOf = (path) => { const value = valueOf(path); return value === null ? "" : `${figure(value)}${unit}`; };
    return { title, unit, colours, ranges, classOf, textOf, lacks: paths.some((path) => valueOf(path) === null) };
  }

  function figure(value) {
    const [size, word] = Math.abs(value) >= 1e8 ? [1e8, "亿"] : Math.abs(value) >= 1e5 ? [1e4, "万"] : [1, ""];
    return (value / size).toLocaleString("zh-CN", { maximumFractionDigits: Number.isInteger(value) && size === 1 ? 0 : size === 1 ? 1 : 2 }) + word;
  }

  // --- Legend --------------------------------------------------------------------------------------------------

  function sample(point, layer) {
    if (ALERTS[point.tone]) return element("span", { class: `mark mark-${point.tone}` });
    const swatch = element("span", { class: layer.live ? "swatch swatch-live" : layer.moving ? "swatch swatch-moving" : "swatch" });
    swatch.style.background = toneColour(point, layer);
    return swatch;
  }

  function pointsLegend(layer, toggle) {
    const samples = new Map();
    for (const point of layer.points.values()) if (!samples.has(point.tone)) samples.set(point.tone, point);
    const signs = samples.size ? [...samples.values()].slice(0, 4) : [{ tone: "plain" }];
    return element("button", {
      class: layer.hidden ? "legend-layer is-hidden" : "legend-layer", "aria-pressed": String(!layer.hidden),
      title: layer.hidden ? "显示" : "隐藏", onclick: () => toggle(layer),
    }, element("span", { class: "legend-signs" }, ...signs.map((point) => sample(point, layer))),
    element("span", { class: "legend-title" }, layer.title), element("span", { class: "legend-count" }, String(layer.points.size)));
  }

  function choices(title, options, chosen, choose) {
    const buttons = options.map(([name, text]) =>
      element("button", { class: name === chosen ? "legend-choice is-chosen" : "legend-choice", "aria-pressed": String(name === chosen), onclick: () => choose(name) }, text));
    return element("div", { class: "legend-choices" }, element("span", { class: "legend-head" }, title), ...buttons);
  }

  function rangesLegend(scale) {
    const swatch = (colour) => { const node = element("span", { class: "swatch" }); node.style.background = colour; return node; };
    const rows = scale.ranges.map((range, i) => element("span", { class: "legend-range" }, swatch(scale.colours[i]), range)).reverse();
    if (scale.lacks) rows.push(element("span", { class: "legend-range" }, swatch("#16243f"), "无数据"));
    const head = element("span", { class: "legend-head" }, scale.unit ? `${scale.title}（${scale.unit}）` : scale.title);
    return element("div", { class: "legend-ranges" }, head, ...rows);
  }

  /** Draw the legend; `toggle`, `cover` and `choose` do what is chosen: a layer, what covers the map, a background. */
  function draw({ layers, scale, background, backgrounds, toggle, cover, choose }) {
    const node = document.getElementById("legend");
    if (!node) return;
    const rows = layers.filter((layer) => !covers(layer)).map((layer) => pointsLegend(layer, toggle));
    const covering = layers.filter(covers);
    if (covering.length) {
      const chosen = covering.find((layer) => !layer.hidden);
      rows.push(choices("分布", [["", "无"], ...covering.map((layer) => [layer.name, layer.title])], chosen ? chosen.name : "", cover));
      if (scale && scale.ranges.length) rows.push(rangesLegend(scale));
      if (chosen && chosen.style === "heat") rows.push(element("div", { class: "legend-heat" }, element("span", {}, "疏"), element("i", {}), element("span", {}, "密")));
    }
    if (backgrounds.length) rows.push(choices("底图", [["", "无"], ...backgrounds.map((each) => [each.name, each.title])], background || "", choose));
    // Only what has changed is put in place: a button must not be exchanged under a finger.
    const said = rows.map((row) => row.outerHTML).join("");
    if (said === legendSaid && node.firstChild) return;
    legendSaid = said;
    node.replaceChildren(...rows);
  }

  let legendSaid = "";

  // --- Ticker --------------------------------------------------------------------------------------------------

  let tickerAt = 0;
  let tickerItems = [];
  let shownTicker = null;
  let tickerNewest = "";

  /** Give the ticker the newest points of the live layers. */
  function tick(layers) {
    tickerItems = layers.filter((layer) => layer.live)
      .flatMap((layer) => [...layer.points.values()].map((point) => ({ point, layer })))
      .sort((one, other) => newest(one.point, other.point)).slice(0, TICKER_KEPT);
    if (!tickerItems.some(({ point }) => point.key === shownTicker)) turnTicker(0);
    else if (tickerItems.length && tickerItems[0].point.key !== tickerNewest) turnTicker(0);
    tickerNewest = tickerItems.length ? tickerItems[0].point.key : "";
  }

  function turnTicker(to) {
    const node = document.getElementById("ticker");
    if (!node) return;
    const shown = tickerItems[(tickerAt = tickerItems.length ? to % tickerItems.length : 0)];
    shownTicker = shown ? shown.point.key : null;
    node.classList.toggle("is-empty", !shown);
    if (!shown) return node.replaceChildren();
    const { point, layer } = shown;
    node.replaceChildren(element("button", { class: "ticker-line", onclick: () => cockpit.map.visit(point.lat, point.lon, point.key) },
      element("span", { class: "ticker-name" }, layer.title), sample(point, layer),
      element("span", { class: "ticker-text" }, point.label),
      element("span", { class: "ticker-kind" }, point.kind),
      element("span", { class: "ticker-time" }, point.at ? timeText(point.at) : "")));
  }
  setInterval(() => tickerItems.length > 1 && !document.querySelector("#ticker:hover") && turnTicker(tickerAt + 1), TICKER_MILLISECONDS);

  cockpit.legend = { classes, draw, tick };
})();
