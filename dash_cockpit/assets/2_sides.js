/* The places of panels: sides in one grid, further pages of a side that turn by themselves, figures that share the top. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element } = cockpit;
  const ROWS = 3; // more under one another would be too low to read from afar
  const PAGE_SECONDS = 15;
  const MOST_FIGURES = 7;
  const sides = { left: { at: 0, pages: [], sections: [] }, right: { at: 0, pages: [], sections: [] } };

  /** Cut a list into parts of at most `most` that are as long as each other. */
  function balanced(items, most) {
    const parts = Math.ceil(items.length / most);
    let from = 0;
    return Array.from({ length: parts }, (_, i) => {
      const length = Math.ceil((items.length - from) / (parts - i));
      return items.slice(from, (from += length));
    });
  }

  /** Put the panels of the sides on pages; on a wall of LEDs these have two columns, or wide ones where panels are few. */
  function lay(wanted) {
    const few = Object.values(wanted).some((sections) => sections.length <= ROWS);
    const columns = document.documentElement.dataset.wall && !few ? 2 : 1;
    for (const [place, sections] of Object.entries(wanted)) laySide(place, sections, columns);
  }

  function laySide(place, sections, columns) {
    const pages = balanced(sections, ROWS * columns).map((page) => {
      const per = Math.max(Math.ceil(page.length / columns), 1);
      return element("div", { class: "side-page" }, ...balanced(page, per).map((column) => element("div", { class: "side-column" }, ...column)));
    });
    const node = document.getElementById(place);
    node.style.setProperty("--columns", columns);
    node.classList.toggle("is-wide", columns === 1);
    node.replaceChildren(...pages);
    sides[place] = { at: 0, pages, sections };
    if (pages.length > 1) {
      const dots = pages.map((_, i) => element("button", { class: "side-dot", "aria-label": `第 ${i + 1} 页，共 ${pages.length} 页`, onclick: () => turn(place, i) }));
      node.append(element("div", { class: "side-dots" }, ...dots));
    }
    turn(place, 0);
  }

  /** Show a page of a side; the others keep their size behind it, so that nothing is drawn anew. */
  function turn(place, to) {
    const side = sides[place];
    side.at = side.pages.length ? (to + side.pages.length) % side.pages.length : 0;
    side.pages.forEach((page, i) => {
      page.classList.toggle("is-shown", i === side.at);
      page.inert = i !== side.at;
    });
    document.querySelectorAll(`#${place} .side-dot`).forEach((dot, i) => dot.classList.toggle("is-here", i === side.at));
  }

  /** Show the page on which a panel stands. */
  function reveal(section) {
    for (const [place, side] of Object.entries(sides)) {
      const found = side.pages.findIndex((page) => page.contains(section));
      if (found >= 0 && found !== side.at) turn(place, found);
    }
  }

  let seconds = 0;
  setInterval(() => {
    const rotate = cockpit.state && cockpit.state.rotate;
    const most = Math.max(sides.left.pages.length, sides.right.pages.length);
    const each = rotate ? Math.max(rotate / Math.max(most, 1), 5) : PAGE_SECONDS; // a round of the carousel shows every page
    seconds = most > 1 && !(cockpit.room && cockpit.room.busy()) ? seconds + 1 : 0;
    if (seconds < each) return;
    seconds = 0;
    for (const place of Object.keys(sides)) {
      if (sides[place].pages.length > 1 && !document.querySelector(`#${place}:hover`)) turn(place, sides[place].at + 1);
    }
  }, 1000);

  /** Let the headline panels share the top fairly: each in its order gets one figure more until there are enough. */
  function share() {
    const groups = [...document.querySelectorAll("#top .figures")].map((each) => [...each.children]);
    const given = groups.map(() => 0);
    let left = MOST_FIGURES;
    for (let round = 0; round < MOST_FIGURES && left; round += 1) {
      groups.forEach((group, i) => {
        if (left && round < group.length) { given[i] += 1; left -= 1; }
      });
    }
    groups.forEach((group, i) => group.forEach((figure, j) => (figure.hidden = j >= given[i])));
  }
  document.addEventListener("DOMContentLoaded", () => {
    const waiting = setInterval(() => {
      const top = document.getElementById("top");
      if (!top) return;
      clearInterval(waiting);
      new MutationObserver(share).observe(top, { childList: true, subtree: true });
      share();
    }, 100);
  });
  document.addEventListener("cockpit:wall", () => {
    lay({ left: sides.left.sections, right: sides.right.sections });
  });

  function turnBoth(by) {
    seconds = 0;
    for (const place of Object.keys(sides)) turn(place, sides[place].at + by);
  }

  cockpit.sides = { lay, turnBoth, reveal };
})();
