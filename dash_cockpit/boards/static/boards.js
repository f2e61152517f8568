/* Arrange panels by dragging, or by the buttons beside them; see the page beside it as it will be; save. */
(() => {
  "use strict";
  const DATA = "/cockpit/data/boards";
  const node = (id) => document.getElementById(id);
  let choices = null;
  let places = { top: [], left: [], right: [] };
  let saved = "";
  let version = 0;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  const panelOf = (name) => choices.panels.find((each) => each.name === name) || { name, title: name, by: "未安装" };
  const usual = () => structuredClone(choices.usual[node("theme").value]);
  const address = () => `${DATA}?${new URLSearchParams({ theme: node("theme").value, area: node("area").value, audience: node("audience").value })}`;
  const changed = () => JSON.stringify(places) !== saved;

  function say(text, wrong = false) {
    node("state").textContent = text;
    node("state").classList.toggle("is-wrong", wrong);
  }

  /** Put a panel at a position of a place, from wherever it stood. */
  function put(name, place, at) {
    for (const names of Object.values(places)) {
      const found = names.indexOf(name);
      if (found >= 0) names.splice(found, 1);
    }
    if (place) places[place].splice(Math.min(at, places[place].length), 0, name);
    draw(name);
  }

  function listed(name, buttons, more = {}) {
    const { title, by } = panelOf(name);
    const drag = (event) => event.dataTransfer.setData("text/plain", name);
    return element("li", { class: "panel", draggable: "true", "data-name": name, ondragstart: drag, ...more }, element("span", {}, title, element("small", {}, `${by} · ${name}`)), ...buttons);
  }

  const button = (text, label, act, disabled = false) => element("button", { type: "button", "aria-label": label, title: label, onclick: act, disabled }, text);

  /** Draw everything anew; the panel `moved` keeps the focus, so that one can go on by key. */
  function draw(moved = "") {
    const label = document.activeElement && document.activeElement.getAttribute("aria-label");
    const words = node("filter").value.trim();
    const standing = new Set(Object.values(places).flat());
    node("stock").querySelector("ul").replaceChildren(...choices.panels
      .filter((each) => `${each.title}${each.name}`.includes(words))
      .map((each) => standing.has(each.name)
        ? listed(each.name, [], { class: "panel is-there" })
        : listed(each.name, Object.entries(choices.places).map(([place, title]) => button(title.slice(0, 1), `放到${title}`, () => put(each.name, place, Infinity))))));
    node("board").replaceChildren(...Object.entries(choices.places).map(([place, title]) => {
      const rows = places[place].map((name, i) => listed(name, [
        button("↑", "上移", () => put(name, place, i - 1), i === 0),
        button("↓", "下移", () => put(name, place, i + 1), i === places[place].length - 1),
        ...Object.entries(choices.places).filter(([other]) => other !== place).map(([other, name_]) => button(name_.slice(0, 1), `移到${name_}`, () => put(name, other, Infinity))),
        button("×", "移除", () => put(name, "", 0)),
      ], { ondrop: (event) => dropped(event, place, i) }));
      const body = rows.length ? rows : [element("li", { class: "none" }, "把面板拖到这里")];
      return element("div", {
        class: "place", "data-place": place,
        ondragover: (event) => { event.preventDefault(); event.currentTarget.classList.add("is-over"); },
        ondragleave: (event) => event.currentTarget.classList.remove("is-over"),
        ondrop: (event) => dropped(event, place, Infinity),
      }, element("h2", {}, `${title}（${places[place].length}）`), element("ul", {}, ...body));
    }));
    if (moved && label) {
      const row = node("board").querySelector(`[data-name="${CSS.escape(moved)}"]`);
      const again = row && (row.querySelector(`[aria-label="${label}"]:not(:disabled)`) || row.querySelector("button:not(:disabled)"));
      if (again) again.focus();
    }
    const many = standing.size > choices.most;
    node("save").disabled = !changed() || many;
    say(many ? `最多 ${choices.most} 个面板` : changed() ? "有未保存的改动" : "", many);
    preview();
  }

  function dropped(event, place, at) {
    event.preventDefault();
    event.stopPropagation();
    put(event.dataTransfer.getData("text/plain"), place, at);
  }

  let waiting = null;
  function preview() {
    const theme = node("theme").value;
    localStorage.setItem("cockpit.draft", JSON.stringify({ theme, places }));
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const area = node("area").value;
      document.querySelector("#frame iframe").src = `/cockpit/?${new URLSearchParams({ theme, kiosk: "1", draft: "1", ...(area ? { area } : {}) })}`;
    }, 600);
  }

  function take(board) {
    version = board.version;
    places = Object.keys(board.places).length ? structuredClone(board.places) : usual();
    saved = JSON.stringify(places);
    const counted = (each) => Object.values(each).flat().length;
    node("history").replaceChildren(...board.history.map((each) => element("li", {},
      element("span", {}, `第 ${each.number} 版　${new Date(each.at).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai" })}　${each.by}　${counted(each.places) ? `${counted(each.places)} 个面板` : "默认"}`),
      button("取用", `取用第 ${each.number} 版`, () => { places = counted(each.places) ? structuredClone(each.places) : usual(); draw(); }))));
    if (!board.history.length) node("history").append(element("li", { class: "none" }, "尚未编排，使用默认排列"));
    draw();
  }

  async function load() {
    const answer = await fetch(address(), { cache: "no-store" }).catch(() => null);
    if (!answer || !answer.ok) return say("无法读取，请稍后再试", true);
    take(await answer.json());
  }

  async function save(content, done) {
    const headers = { "Content-Type": "application/json", "If-Match": `"${version}"` };
    const answer = await fetch(address(), { method: "PUT", headers, body: JSON.stringify({ places: content }) }).catch(() => null);
    if (answer && answer.ok) {
      take(await answer.json());
      return say(done);
    }
    const stale = answer && (answer.status === 409 || answer.status === 412);
    say(stale ? "他人已先保存了新的版本，请重新选择主题后再改" : "未能保存，请稍后再试", true);
  }

  async function start() {
    choices = await fetch(`${DATA}/choices`, { cache: "no-store" }).then((answer) => answer.json());
    const option = (value, text) => element("option", { value }, text);
    node("theme").append(...choices.themes.map((each) => option(each.name, each.title)));
    node("area").append(option("", "全部区域"), ...choices.areas.map((each) => option(each.path, `${"　".repeat(each.depth)}${each.name}`)));
    node("audience").append(option("", "所有人员"), ...Object.entries(choices.audiences).map(([name, title]) => option(name, title)));
    for (const id of ["theme", "area", "audience"]) node(id).addEventListener("change", load);
    node("filter").addEventListener("input", () => draw());
    node("save").addEventListener("click", () => save(places, "已保存，各大屏一分钟内更新"));
    node("usual").addEventListener("click", () => save({}, "已恢复默认排列"));
    addEventListener("beforeunload", (event) => changed() && event.preventDefault());
    await load();
  }
  start();
})();
