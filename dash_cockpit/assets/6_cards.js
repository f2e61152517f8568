/* What people find on the map, and the card of what is open: its head at once, its parts as they come. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element, timeText } = cockpit;
  const ALERTS = { hint: "提示", minor: "一般", major: "较重", critical: "严重" };
  const TYPED_MILLISECONDS = 250;
  const MOST_LISTED = 100;
  const WITHIN_MILLISECONDS = 10000;

  let data = "";
  let opened = null; // { record, key } of the card that is open, or null
  let turn = 0; // answers to an earlier question are thrown away

  const node = () => document.getElementById("card");
  const part = (text) => encodeURIComponent(text);

  async function ask(path, options = {}) {
    const answer = await fetch(data + path, { cache: "no-store", signal: AbortSignal.timeout(WITHIN_MILLISECONDS), ...options });
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  }

  // --- The card ------------------------------------------------------------------------------------------------

  function head(title, kind, tone, colour, note) {
    const sign = element("span", { class: ALERTS[tone] ? `mark mark-${tone}` : "swatch", title: ALERTS[tone] || null });
    if (!ALERTS[tone]) sign.style.background = colour || `var(--tone-${tone})`;
    return element("header", { class: "card-head" }, sign,
      element("div", { class: "card-name" }, element("strong", {}, title), element("small", {}, [kind, note].filter(Boolean).join(" · "))),
      element("button", { class: "card-close", title: "关闭", "aria-label": "关闭", onclick: close }, "×"));
  }

  function facts(pairs) {
    return element("dl", {}, ...pairs.filter(([, text]) => text).flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
  }

  function show(...children) {
    const body = element("div", { class: "card-body" }, ...children.slice(1));
    node().replaceChildren(children[0], body);
    node().classList.add("is-open");
    return body;
  }

  function close() {
    turn += 1;
    opened = null;
    if (!node()) return;
    node().classList.remove("is-open");
    node().replaceChildren();
    cockpit.map.mark();
    cockpit.map.tellPoint("");
  }

  /** Open a point of a layer: by the card of its record, or by what the layer itself says of it. */
  function openPoint(point, layer) {
    const colour = cockpit.points.toneColour(point.tone, layer);
    turn += 1;
    opened = { record: layer.record, key: point.key };
    cockpit.map.mark(point.lat, point.lon);
    cockpit.map.tellPoint(point.label);
    const rows = [...(ALERTS[point.tone] ? [["等级", ALERTS[point.tone]]] : []), ...(point.details || [])];
    if (point.at) rows.push(["时间", timeText(point.at)]);
    const body = show(head(point.label, point.kind, point.tone, colour),
      ...(point.picture ? [element("img", { class: "card-photo", src: point.picture, alt: "" })] : []),
      ...(layer.record ? [] : [facts(rows)]));
    if (layer.record) fill(layer.record, point.key, body, turn);
  }

  /** Open the card of a record that may lie anywhere in the viewer's scope; `travel` says whether to go there. */
  async function open(record, key, travel = true) {
    const mine = (turn += 1);
    opened = { record, key };
    show(head("正在载入…", "", "plain"));
    const found = await ask(`card/${part(record)}?key=${part(key)}`).catch(() => null);
    if (mine !== turn) return;
    if (!found) return void show(head("无法打开", "", "off"), element("p", { class: "card-none" }, "该记录不存在、不在您的查看范围内，或暂时无法读取。"));
    const { subject } = found;
    cockpit.map.tellPoint(subject.title);
    const body = show(head(subject.title, subject.kind, subject.tone, null, subject.note));
    if (subject.lat !== null) {
      cockpit.map.mark(subject.lat, subject.lon);
      if (travel) cockpit.map.uncover(L.latLng(subject.lat, subject.lon));
    }
    parts(found, record, key, body, mine);
  }

  async function fill(record, key, body, mine) {
    const waiting = element("p", { class: "card-none" }, "正在载入…");
    body.append(waiting);
    const found = await ask(`card/${part(record)}?key=${part(key)}`).catch(() => null);
    if (mine !== turn) return;
    waiting.remove();
    if (!found) return body.append(element("p", { class: "card-none" }, "详情暂时无法读取。"));
    const small = node().querySelector(".card-name small");
    small.textContent = [found.subject.kind, found.subject.note].filter(Boolean).join(" · ");
    parts(found, record, key, body, mine);
  }

  /** Each part comes by itself, so that a slow or broken one holds up no other. */
  function parts(found, record, key, body, mine) {
    const { area } = found.subject;
    if (area.includes("/") && !cockpit.map.isIn(area)) {
      body.append(element("div", { class: "card-links" }, element("button", { onclick: () => cockpit.go({ area }) }, "进入所在区域")));
    }
    for (const each of found.parts) {
      const place = element("section", { class: "card-part is-waiting", "data-part": each.name });
      body.append(place);
      const path = (verb = "") => `card/${part(record)}/${part(each.name)}${verb}?key=${part(key)}`;
      ask(path()).catch(() => ({ failed: true })).then((answer) => {
        if (mine !== turn) return;
        place.classList.remove("is-waiting");
        if (answer.failed) return place.replaceChildren(element("h3", {}, each.title), element("p", { class: "card-none" }, "此部分暂时无法显示"));
        if (!answer.section) return place.remove();
        place.replaceChildren(element("h3", {}, each.title, ...(count(answer.section) ? [element("i", {}, count(answer.section))] : [])), ...section(answer, path));
      });
    }
  }

  const count = ({ lines, more }) => (lines.length ? String(lines.length + more) : "");

  function section({ section: said, dial }, path) {
    const shown = [];
    if (said.facts.length) shown.push(facts(said.facts));
    if (said.pictures.length) shown.push(element("div", { class: "card-pictures" }, ...said.pictures.map(({ address, caption }) =>
      element("img", { src: address, alt: caption, title: caption, loading: "lazy", onclick: (event) => event.target.classList.toggle("is-large") }))));
    if (said.people.length) shown.push(element("ul", { class: "card-people" }, ...said.people.map((each) => person(each, dial, path))));
    if (said.lines.length) shown.push(element("ul", { class: "card-lines" }, ...said.lines.map(line)));
    if (said.more) shown.push(element("p", { class: "card-none" }, `另有 ${said.more} 条`));
    if (said.links.length) shown.push(element("div", { class: "card-links" }, ...said.links.map(([title, href]) => element("a", { href, target: "_blank", rel: "noopener" }, title))));
    return shown;
  }

  function line(each) {
    const sign = element("span", { class: ALERTS[each.tone] ? `mark mark-${each.tone}` : `dot tone-${each.tone}` });
    const inside = [sign, element("span", { class: "line-text", title: each.text }, each.text), element("span", { class: "line-note" }, each.note), element("span", { class: "line-time" }, each.at ? timeText(each.at) : "")];
    if (each.record && each.key) return element("li", {}, element("button", { onclick: () => open(each.record, each.key) }, ...inside));
    if (each.link) return element("li", {}, element("a", { href: each.link, target: "_blank", rel: "noopener" }, ...inside));
    return element("li", {}, element("span", {}, ...inside));
  }

  /** The number is fetched only when somebody asks for it: the look is recorded. */
  function person(each, dial, path) {
    const number = element("span", { class: "person-phone" }, each.phone);
    const row = element("li", {}, element("span", { class: "person-name" }, each.name), element("span", { class: "person-role" }, each.role), number);
    if (dial && each.phone) {
      const button = element("button", { class: "person-dial", title: "查看号码会留下记录", onclick: async () => {
        button.disabled = true;
        const answer = await ask(`${path("/dial")}&person=${part(each.key)}`, { method: "POST" }).catch(() => null);
        if (!answer) { button.disabled = false; button.textContent = "重试"; return; }
        number.replaceChildren(element("a", { href: `tel:${answer.phone}` }, answer.phone));
        button.remove();
      } }, "拨打");
      row.append(button);
    }
    return row;
  }

  /** List what lies on one spot. */
  function list(members) {
    turn += 1;
    opened = null;
    const [{ point: first }] = members;
    cockpit.map.mark(first.lat, first.lon);
    cockpit.map.tellPoint(`此处 ${members.length} 项`);
    const rows = members.slice(0, MOST_LISTED).map(({ point, layer }) => {
      const sign = element("span", { class: ALERTS[point.tone] ? `mark mark-${point.tone}` : "dot" });
      if (!ALERTS[point.tone]) sign.style.background = cockpit.points.toneColour(point.tone, layer);
      return element("li", {}, element("button", { onclick: () => openPoint(point, layer) }, sign,
        element("span", { class: "line-text" }, point.label), element("span", { class: "line-note" }, point.kind)));
    });
    const more = members.length - rows.length;
    show(head(`此处 ${members.length} 项`, "同一位置", "plain"), element("ul", { class: "card-lines" }, ...rows),
      ...(more > 0 ? [element("p", { class: "card-none" }, `另有 ${more} 项，可用搜索查找`)] : []));
    cockpit.map.uncover(L.latLng(first.lat, first.lon));
  }

  // --- Search --------------------------------------------------------------------------------------------------

  let typing = null;
  let question = 0;

  function drawFind() {
    const place = document.getElementById("find");
    if (!place || place.firstChild) return;
    const input = element("input", { type: "search", placeholder: "搜索小区、点位、设备、单号…", "aria-label": "搜索", maxlength: 40, autocomplete: "off", spellcheck: "false" });
    const results = element("div", { class: "find-results" });
    place.append(element("label", { class: "find-box" }, element("span", { class: "find-sign", "aria-hidden": "true" }), input), results);
    input.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => find(input.value, results), TYPED_MILLISECONDS);
    });
    input.addEventListener("focus", () => { cockpit.map.touch(); place.classList.add("is-used"); });
    place.addEventListener("focusout", (event) => place.contains(event.relatedTarget) || place.classList.remove("is-used"));
    place.addEventListener("keydown", (event) => {
      event.stopPropagation(); // what is typed here is no command to the page
      const options = [...results.querySelectorAll("button")];
      const at = options.indexOf(document.activeElement);
      if (event.key === "Escape") { input.value = ""; results.replaceChildren(); document.activeElement.blur(); }
      else if (event.key === "ArrowDown" && options.length) { event.preventDefault(); options[Math.min(at + 1, options.length - 1)].focus(); }
      else if (event.key === "ArrowUp" && at >= 0) { event.preventDefault(); (options[at - 1] || input).focus(); }
      else if (event.key === "Enter" && document.activeElement === input && options.length) options[0].click();
    });
  }

  async function find(text, results) {
    const mine = (question += 1);
    const words = text.trim();
    if (!words) return results.replaceChildren();
    const answer = await ask(`find?q=${part(words)}`).catch(() => null);
    if (mine !== question) return;
    if (!answer) return results.replaceChildren(element("p", { class: "card-none" }, "搜索暂时不可用"));
    if (!answer.groups.length) return results.replaceChildren(element("p", { class: "card-none" }, "没有找到"));
    results.replaceChildren(...answer.groups.map((group) => element("section", {}, element("h3", {}, group.title),
      ...group.items.map((each) => element("button", { class: "find-item", onclick: () => choose(group.record, each) },
        element("span", { class: "line-text" }, each.title), element("span", { class: "line-note" }, each.note || each.kind))))));
  }

  function choose(record, subject) {
    document.activeElement.blur();
    document.getElementById("find").classList.remove("is-used");
    cockpit.map.visit(subject.lat === null ? NaN : subject.lat, subject.lon === null ? NaN : subject.lon, subject.key, record);
  }

  function setPlan(plan) {
    data = plan.data;
    drawFind();
    for (const name of ["card", "find"]) document.getElementById(name).addEventListener("pointerdown", cockpit.map.touch);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && opened) close();
    if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) {
      event.preventDefault();
      document.querySelector("#find input").focus();
    }
  });

  cockpit.card = { setPlan, open, openPoint, close, list, opened: () => opened };
})();
