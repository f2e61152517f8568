// What is wrong with the layout of the page: things beyond the screen or their panel, on one another, or cut off.
() => {
  const faults = [];
  const box = (node) => node.getBoundingClientRect();
  const text = (node) => node.innerText.slice(0, 14).replace(/\s+/g, " ");
  const inside = (a, b) =>
    a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const meet = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;

  const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const standing = ".side .panel, .top .figure, .theme, .header-left > *, .header-right > *, h1, #trail, #ticker, #legend";
  const nodes = [...document.querySelectorAll(standing)].filter((node) => node.offsetWidth);
  nodes.forEach((node, i) => {
    if (!inside(box(node), screen)) faults.push(`outside: ${text(node)}`);
    for (const other of nodes.slice(i + 1)) if (meet(box(node), box(other))) faults.push(`overlap: ${text(node)} / ${text(other)}`);
  });

  const labels = "h1, h2, .theme, .figure-value, .figure-label, .ring-label, .bar-label, .bar-value, .legend-title";
  for (const node of document.querySelectorAll(labels)) {
    const words = document.createRange();
    words.selectNodeContents(node);
    const [shown, whole] = [box(node), words.getBoundingClientRect()];
    if (node.offsetWidth && (whole.left < shown.left - 1 || whole.right > shown.right + 1)) faults.push(`cut: ${text(node)}`);
  }
  for (const list of document.querySelectorAll(".rows-body, .bar-list, .figures, .ring, .plot-legend")) {
    const body = list.closest(".side .panel-body");
    if (body && !inside(box(list), box(body))) faults.push(`beyond its panel: ${text(list)}`);
  }
  for (const graph of document.querySelectorAll(".js-plotly-plot")) {
    for (const label of graph.querySelectorAll("text")) {
      if (label.textContent && !inside(box(label), box(graph))) faults.push(`cut in a figure: ${label.textContent}`);
    }
  }
  return faults;
}
