/* The records behind what is clicked: a figure, a bar, a share, a point of a trend; over the page, by mouse and keys. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element } = cockpit;
  const ANSWER_WITHIN_MILLISECONDS = 10000;

  let shown = 0; // counts the overlays, so that a late answer does not fill a later one

  const trailText = () => [...document.querySelectorAll(".trail-step")].map((step) => step.textContent).join(" › ");

  /** What a key says in words: the label that was clicked, or the time that a point stands for. */
  function partText(key, label) {
    const [since] = key.split("/").map((part) => new Date(part));
    if (!/^\d{4}-\d\d-\d\dT/.test(key) || Number.isNaN(since.getTime())) return label;
    const until = new Date(key.split("/")[1]);
    const hours = (until - since) / 3600000;
    const show = (options) => since.toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai", ...options });
    if (hours > 24) return show({ year: "numeric", month: "long" });
    const day = show({ month: "long", day: "numeric" });
    return hours > 1 ? day : `${day} ${since.toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" })}`;
  }

  /** Open the records behind `key` of a panel; an empty key is everything that the panel counts. */
  async function open(name, key, label) {
    const number = (shown += 1);
    const origin = document.activeElement;
    const frame = cockpit.plan().panels[name];
    if (!frame || !frame.drills) return;
    const view = cockpit.viewOf(frame);
    const title = [frame.title, partText(key, label)].filter((text, i, all) => text && text !== all[i - 1]).join(" · ");
    const count = element("span", { class: "drill-count" });
    const body = element("div", { class: "drill-body" }, element("div", { class: "panel-waiting" }));
    const facts = [trailText(), frame.timeless ? "当前" : cockpit.periodText()].filter(Boolean).join("　");
    const tools = element("div", { class: "drill-tools" },
      tool("明细", "导出明细为 Excel", () => cockpit.take.workbook(name, key)),
      tool("指标", "导出面板数据为 Excel", () => cockpit.take.workbook(name)),
      element("button", { class: "drill-close", "aria-label": "关闭", title: "关闭（Esc）", onclick: cockpit.room.close }));
    const dialog = element("div", { class: "drill", role: "dialog", "aria-modal": "true", "aria-label": title, tabindex: "-1", onkeydown: (event) => steer(event, dialog) },
      element("div", { class: "drill-head" }, element("h2", {}, title), element("span", { class: "drill-facts" }, facts), count, tools), body);
    dialog.addEventListener("click", (event) => event.target.closest("[data-lon]") && leave(origin));
    cockpit.room.open(dialog);
    dialog.focus({ preventScroll: true });
    await load();

    async function load() {
      const address = `${cockpit.plan().data}panels/${encodeURIComponent(name)}/rows?${view}&key=${encodeURIComponent(key)}`;
      const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS) }).catch(() => null);
      const found = answer && answer.ok ? await answer.json().catch(() => null) : null;
      if (number !== shown || !dialog.isConnected) return;
      if (!found) return body.replaceChildren(failed(load));
      const late = answer.headers.get("X-Cockpit-State") === "stale" ? `　${Math.ceil(Number(answer.headers.get("Age")) / 60)} 分钟前的数据` : "";
      count.textContent = (found.more ? `最近 ${found.count} 条` : `共 ${found.count} 条`) + late;
      count.classList.toggle("is-late", Boolean(late));
      body.replaceChildren(found.count ? cockpit.panels.build(found.table) : element("div", { class: "panel-empty" }, element("div", { class: "empty-sign" }), "暂无记录"));
      const first = body.querySelector(".row[tabindex]");
      if (first && dialog.contains(document.activeElement)) first.focus({ preventScroll: true });
    }
  }

  function tool(text, title, act) {
    return element("button", { class: "drill-tool", title, "aria-label": title, onclick: act }, text);
  }

  function failed(again) {
    return element("div", { class: "panel-error" }, element("span", { class: "error-sign" }, "!"), "记录暂时无法读取",
      element("button", { class: "drill-again", onclick: again }, "重试"));
  }

  /** Close when a row leads to the map, and give the keyboard back to where it was. */
  function leave(origin) {
    cockpit.room.close();
    if (origin && origin.isConnected) origin.focus({ preventScroll: true });
  }

  /** The keys inside the overlay: arrows go from row to row; what is left goes on to the page (Esc). */
  function steer(event, dialog) {
    if (event.key === "Escape") return;
    event.stopPropagation();
    const rows = [...dialog.querySelectorAll(".row")];
    const at = rows.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + 10, PageUp: at - 10 }[event.key];
    if (to !== undefined && rows.length) {
      event.preventDefault();
      const row = rows[Math.max(0, Math.min(to, rows.length - 1))];
      row.tabIndex = 0;
      row.focus();
    }
    if (event.key === "Enter" && document.activeElement.matches("[data-lon]")) document.activeElement.click();
    if (event.key === "Tab") keepInside(event, dialog);
  }

  function keepInside(event, dialog) {
    const stops = [...dialog.querySelectorAll("button, [tabindex='0']")];
    const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (document.activeElement !== edge && document.activeElement !== dialog) return;
    event.preventDefault();
    (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
  }

  const labelOf = (node) => {
    const label = node.querySelector(".figure-label, .ring-label, .bar-label");
    return label ? label.textContent : "";
  };

  function openFrom(node) {
    const panel = node.closest("[data-panel]");
    if (panel) open(panel.dataset.panel, node.dataset.drill, labelOf(node));
  }

  document.addEventListener("click", (event) => {
    const node = event.target.closest("[data-drill]");
    if (node) openFrom(node);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.matches("[data-drill]")) {
      event.preventDefault();
      openFrom(event.target);
    }
  });

  /** Let the points of a drawn figure open what they stand for. */
  function listen(node) {
    const keys = node.drawing.figure.layout.meta && node.drawing.figure.layout.meta.drill;
    node.classList.toggle("drills", Boolean(keys));
    if (node.listens || !node.on) return;
    node.listens = true;
    node.on("plotly_click", ({ points: [point] }) => {
      const { meta } = node.drawing.figure.layout;
      const key = meta && meta.drill && meta.drill[point.pointNumber];
      const panel = node.closest("[data-panel]");
      const label = typeof point.customdata === "string" ? point.customdata : point.v === undefined ? "" : point.label;
      if (key !== undefined && panel) open(panel.dataset.panel, key, label);
    });
  }

  cockpit.drill = { open, listen };
})();
