// What is wrong with the layout of the page: things beyond the screen or their panel, on one another, cut off, wrapped,
// too small to read from afar, or empty.
() => {
  const faults = [];
  const SMALLEST = 16; // pixels of the stage, see dash_cockpit/theme.py
  const LOWEST = 230; // no panel of a side is lower, in the same pixels
  const MOST_FIGURES = 7;
  const box = (node) => node.getBoundingClientRect();
  const text = (node) => node.innerText.slice(0, 14).replace(/\s+/g, " ");
  const inside = (a, b) =>
    a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const meet = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const shown = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !node.closest("[inert]");
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);

  const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const nodes = all(".side .panel, .top .figure, .theme, .periods, .page-name, .header-left > *, .header-right > *, h1, #trail, #ticker, #legend, .side-dots");
  nodes.forEach((node, i) => {
    if (!inside(box(node), screen)) faults.push(`outside: ${text(node)}`);
    for (const other of nodes.slice(i + 1)) if (meet(box(node), box(other))) faults.push(`overlap: ${text(node)} / ${text(other)}`);
  });

  const cut = "h1, h2, .theme, .period, .figure-value, .figure-label, .ring-label, .bar-label, .bar-value, .legend-title, .legend-key, .rows-head > *, .rows-table .row > *";
  const whole = "h1, h2, .theme, .period, .figure-label, .figure-unit, .ring-label, .bar-label, .bar-value, .legend-key, .legend-title, .panel-age, .district, .clock, .person";
  for (const [selector, judge] of [
    [cut, (words, frame) => (words.left < frame.left - 1 || words.right > frame.right + 1) && "cut"],
    [whole, (words, frame, lines) => lines > 1 && "wrapped"],
  ]) {
    for (const node of all(selector)) {
      if (node.closest(".scrolls") && !inside(box(node), box(node.closest(".scrolls")))) continue; // not scrolled to yet
      const words = document.createRange();
      words.selectNodeContents(node);
      const tops = new Set([...words.getClientRects()].filter((each) => each.width > 1).map((each) => Math.round(each.bottom / 12)));
      const fault = judge(words.getBoundingClientRect(), box(node), tops.size > 2 ? 2 : 1);
      if (fault) faults.push(`${fault}: ${text(node)}`);
    }
  }

  for (const list of all(".rows-body, .bar-list, .figures, .ring, .plot-legend")) {
    const body = list.closest(".side .panel-body");
    if (body && !inside(box(list), box(body))) faults.push(`beyond its panel: ${text(list)}`);
  }
  for (const list of all(".rows-body, .bar-list")) {
    for (const line of list.children) {
      const [a, b] = [box(line), box(list)];
      if (list.scrollTop % 1 === 0 && a.top < b.bottom - 2 && a.bottom > b.bottom + 2 && list.scrollTop === 0) faults.push(`half a line: ${text(line)}`);
    }
  }
  for (const graph of all(".js-plotly-plot")) {
    for (const label of graph.querySelectorAll("text")) {
      if (label.textContent && !inside(box(label), box(graph))) faults.push(`cut in a figure: ${label.textContent}`);
    }
  }

  for (const panel of all(".side .panel")) {
    if (panel.offsetHeight < LOWEST) faults.push(`too low: ${text(panel)}`);
    const body = panel.querySelector(".panel-body");
    if (!body.innerText.trim() && !body.querySelector("svg, img")) faults.push(`empty: ${text(panel)}`);
  }
  if (all(".top .figure").length > MOST_FIGURES) faults.push("too many figures");
  for (const side of all(".side")) {
    if (!side.querySelector(".panel")) continue;
    const last = Math.max(...all(".side .panel").filter((each) => side.contains(each)).map((each) => box(each).bottom));
    if (box(side).bottom - last > 2) faults.push(`hole under ${text(side)}`);
  }

  const walker = document.createTreeWalker(document.getElementById("stage"), NodeFilter.SHOW_TEXT);
  const small = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !shown(node)) continue;
    if (parseFloat(getComputedStyle(node).fontSize) < SMALLEST) small.add(walker.currentNode.textContent.trim().slice(0, 12));
  }
  for (const words of small) faults.push(`too small: ${words}`);
  return faults;
}
