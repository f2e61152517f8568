/* Panels: the components that the server drew, put on the page directly.
 *
 * Dash's own renderer subscribes every single component to its store; with lists of hundreds of cells a change of theme
 * would take seconds. The vocabulary is the same (dash.html and dcc.Graph as JSON), the page is built at once.
 */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const PANELS_KEPT = 80;
  const NEWS_MILLISECONDS = 12000; // how long a list stays at the top, where something new stands

  const kept = new Map(); // panel and area -> its body, so that a theme one comes back to is there at once

  /** Build the DOM of a Dash component, a text, or a list of them. */
  function build(component) {
    if (component === null || component === undefined) return document.createTextNode("");
    if (typeof component !== "object") return document.createTextNode(String(component));
    const { type, props } = component;
    if (type === "Graph") return buildGraph(props);
    const node = document.createElement(type.toLowerCase());
    for (const [name, value] of Object.entries(props)) {
      if (name === "children" || value === null) continue;
      else if (name === "className") node.className = value;
      else if (name === "style") Object.assign(node.style, value);
      else if (name === "key") node.dataset.key = value;
      else node.setAttribute(name, value);
    }
    node.append(...[props.children].flat().map(build));
    return node;
  }

  function buildGraph(props) {
    const node = document.createElement("div");
    node.className = `drawing ${props.className || ""}`;
    node.drawing = { figure: props.figure, config: props.config };
    return node;
  }

  let plotly = null;

  /** Load Plotly, which takes the browser longer to run than all the rest: after the map is on the screen. */
  function loadPlotly() {
    plotly = plotly || new Promise((resolve) => {
      const src = document.querySelector('link[href$="plotly.min.js"]').href;
      const load = () => document.head.append(cockpit.element("script", { src, onload: resolve }));
      requestAnimationFrame(() => setTimeout(load, 0));
    });
    return plotly;
  }

  async function draw(node) {
    await loadPlotly();
    if (!node.isConnected) return void (node.drawnSize = ""); // drawn when it is back on the page
    const { figure, config } = node.drawing;
    await window.Plotly.react(node, figure.data, figure.layout, config);
    node.isDrawn = true;
    cockpit.drill.listen(node);
  }

  /** Draw the figures under `root` that are not drawn yet, and fit those that were while their box changed. */
  function drawGraphs(root) {
    for (const node of root.querySelectorAll(".drawing")) {
      const size = `${node.offsetWidth} ${node.offsetHeight}`;
      if (node.drawnSize === size && !node.changed) continue;
      const again = node.isDrawn && !node.changed;
      node.drawnSize = size;
      node.changed = false;
      if (again) window.Plotly.Plots.resize(node);
      else draw(node);
    }
  }

  const room = new ResizeObserver((entries) => entries.forEach((entry) => entry.target.isConnected && drawGraphs(entry.target)));

  /** Put new content into a panel's body: figures change in place, lists keep their position, new rows are marked. */
  function fill(body, content) {
    const before = [...body.querySelectorAll(".drawing")];
    const known = new Set([...body.querySelectorAll("[data-key]")].map((row) => row.dataset.key));
    const scrolled = [...body.querySelectorAll(".scrolls")].map((list) => list.scrollTop);
    const held = [...body.querySelectorAll(".scrolls")].map((list) => list.heldUntil);
    const fresh = build(content);
    [...fresh.querySelectorAll(".drawing")].forEach((node, i) => {
      const old = before[i];
      if (!old) return;
      old.drawing = node.drawing;
      old.changed = true;
      node.replaceWith(old);
    });
    if (known.size) for (const row of fresh.querySelectorAll("[data-key]")) if (!known.has(row.dataset.key)) row.classList.add("is-new");
    before.filter((node) => !fresh.contains(node)).forEach((node) => window.Plotly && window.Plotly.purge(node));
    body.replaceChildren(fresh);
    [...body.querySelectorAll(".scrolls")].forEach((list, i) => {
      const news = list.querySelector(".is-new");
      list.scrollTop = news ? 0 : scrolled[i] || 0;
      list.heldUntil = news ? performance.now() + NEWS_MILLISECONDS : held[i] || 0;
    });
    if (body.isConnected) drawGraphs(body);
  }

  /** The body of a panel in an area, with what it last showed. */
  function bodyOf(key) {
    const body = kept.get(key) || cockpit.element("div", { class: "panel-body" }, cockpit.element("div", { class: "panel-waiting" }));
    kept.delete(key);
    kept.set(key, body);
    room.observe(body);
    for (const [oldest, node] of kept) {
      if (kept.size <= PANELS_KEPT) break;
      if (node.isConnected) continue;
      room.unobserve(node);
      node.querySelectorAll(".drawing").forEach((each) => window.Plotly && window.Plotly.purge(each));
      kept.delete(oldest);
    }
    return body;
  }

  /** The buttons that take a panel away, and the one that opens the records behind it. */
  function toolsOf(name, title, drills) {
    const tool = (kind, words, onclick) => cockpit.element("button", { class: `panel-tool panel-${kind}`, title: words, "aria-label": `${words} ${title}`, onclick });
    return [
      ...(drills ? [tool("rows", "查看明细", () => cockpit.drill.open(name, "", ""))] : []),
      tool("sheet", "导出 Excel", () => cockpit.take.workbook(name)),
      tool("picture", "导出图片", (event) => cockpit.take.picture(event.target.closest(".panel"))),
    ];
  }

  /** Put the frames of a theme in their places; returns the bodies and age marks by panel. */
  function arrange(frames, view) {
    const placed = {};
    const wanted = {};
    for (const place of ["top", "left", "right"]) {
      const sections = (frames[place] || []).map(({ name, title, content, drills }) => {
        const body = bodyOf(`${name} ${view}`);
        if (content) fill(body, content); // says the same at all times
        const age = cockpit.element("span", { class: "panel-age" });
        placed[name] = { body, age };
        const enlarge = cockpit.element("button", { class: "panel-enlarge", title: "放大", "aria-label": `放大 ${title}` });
        const tools = content ? [] : toolsOf(name, title, drills);
        const head = cockpit.element("div", { class: "panel-head" }, cockpit.element("h2", {}, title), age, ...tools, enlarge);
        const attributes = { class: "panel", "aria-label": title, "data-panel": name, tabindex: place === "top" ? "" : "0" };
        return cockpit.element("section", attributes, head, body);
      });
      if (place === "top") document.getElementById(place).replaceChildren(...sections);
      else wanted[place] = sections;
    }
    cockpit.sides.lay(wanted);
    for (const { body } of Object.values(placed)) drawGraphs(body);
    return placed;
  }

  cockpit.panels = { arrange, fill, build };
})();
