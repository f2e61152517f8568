/* The page's state (theme and area, kept in the address) and its feeds: panels, map layers, boundaries. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const LIVE_SECONDS = 1.4; // with what the server may keep, new things are there within two
  const TICK_SECONDS = 2;
  const LAYER_SECONDS = 60;
  const AREA_SECONDS = 600;
  const PLAN_SECONDS = 60;
  const ANSWER_WITHIN_MILLISECONDS = 10000;

  const MOST_SECONDS = 3600;

  let plan = null;
  let newest = null; // the plan as it is now, when it has changed since the page was loaded
  let state = { theme: "", area: "" };
  let feeds = new Map();

  // --- Feeds ---------------------------------------------------------------------------------------------------

  function start(key, path, seconds, deliver, tell = () => {}, view = areaOnly()) {
    if (feeds.has(key)) return;
    const address = `${plan.data}${path}?${view}`;
    const feed = { address, seconds, deliver, tell, due: 0, etag: null, busy: false, age: 0, at: 0, state: "waiting" };
    feeds.set(key, feed);
    pull(feed);
  }

  function stop(keep) {
    for (const [key, feed] of feeds) {
      if (keep(key)) continue;
      feed.stopped = true;
      feeds.delete(key);
    }
  }

  async function pull(feed) {
    feed.busy = true;
    const body = await ask(feed).catch(() => {
      feed.broken = true; // the server is away: what is shown stays, and says how old it is
      return null;
    });
    feed.busy = false;
    // Spread out a little, so that many screens do not ask in step.
    const seconds = feed.state === "failed" || feed.broken ? Math.min(feed.seconds, 3) : feed.seconds;
    feed.due = performance.now() + seconds * 1000 * (0.95 + Math.random() * 0.1);
    if (body !== null && !feed.stopped) feed.deliver(body, feed);
  }

  /** Ask once; null when nothing has changed or nothing is to be had any more. */
  async function ask(feed) {
    const answer = await fetch(feed.address, {
      cache: "no-store",
      headers: feed.etag ? { "If-None-Match": feed.etag } : {},
      signal: AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS),
    });
    if (answer.status === 401) location.reload(); // the entrance leads to the login and back
    if (answer.status === 404) feed.stopped = true; // switched off, or no longer permitted
    if (!answer.ok && answer.status !== 304) throw new Error(answer.statusText);
    feed.state = answer.headers.get("X-Cockpit-State");
    feed.age = Number(answer.headers.get("Age") || 0);
    feed.at = performance.now();
    feed.etag = answer.headers.get("ETag");
    feed.broken = false;
    return answer.status === 304 ? null : answer.json();
  }

  setInterval(() => {
    if (document.hidden) return;
    const now = performance.now();
    for (const feed of feeds.values()) if (!feed.busy && !feed.stopped && now >= feed.due) pull(feed);
  }, 250);

  setInterval(() => {
    for (const feed of feeds.values()) feed.tell(feed);
    const node = document.getElementById("link-state");
    if (!node) return;
    const all = [...feeds.values()].filter((feed) => !feed.stopped);
    const lost = all.length > 0 && all.every((feed) => feed.broken);
    const late = all.some((feed) => ageText(feed) || feed.state === "failed");
    node.className = `link-state ${lost ? "is-lost" : late ? "is-late" : "is-live"}`;
    node.textContent = lost ? "连接中断，正在重试" : late ? "部分数据延迟" : "实时";
  }, 1000);

  /** How old the content of a feed is, in seconds; -1 while there is none. */
  const ageOf = (feed) => (feed.at ? feed.age + (performance.now() - feed.at) / 1000 : -1);

  function ageText(feed) {
    const age = ageOf(feed);
    const late = feed.state === "stale" || (feed.broken && age > feed.seconds * 2);
    if (!late || age < 0 || feed.state === "failed") return "";
    if (age < 60) return `${Math.max(1, Math.round(age))} 秒前的数据`;
    return age < 5400 ? `${Math.round(age / 60)} 分钟前的数据` : `${Math.round(age / 3600)} 小时前的数据`;
  }

  // --- State ---------------------------------------------------------------------------------------------------

  const areaOnly = () => new URLSearchParams({ area: state.area }).toString();

  /** What a panel or layer is asked for: the area and, unless it is of now, the period. */
  function viewOf({ timeless, live, moving }) {
    const view = new URLSearchParams({ area: state.area });
    if (timeless || live || moving) return view.toString();
    for (const name of ["period", "since", "until"]) if (state[name]) view.set(name, state[name]);
    return view.toString();
  }

  cockpit.viewOf = viewOf;
  cockpit.plan = () => plan;

  function startPanel(name, frame, { body, age }) {
    const deliver = (content, feed) => {
      if (feed.state === "failed" && body.filled) return; // the last good picture says more than an error
      body.filled = feed.state !== "failed";
      cockpit.panels.fill(body, content);
    };
    const tell = (feed) => {
      const text = ageText(feed);
      if (text !== age.textContent) age.textContent = text;
    };
    const view = viewOf(frame);
    start(`panel ${name} ${view}`, `panels/${encodeURIComponent(name)}`, state.refresh || frame.seconds, deliver, tell, view);
  }

  function drawTabs() {
    const tabs = plan.themes.map((theme) => {
      const chosen = theme.name === state.theme;
      const attributes = { class: chosen ? "theme is-chosen" : "theme", "data-theme": theme.name, "aria-current": chosen ? "page" : null };
      return cockpit.element("button", attributes, theme.title);
    });
    document.getElementById("themes").replaceChildren(...tabs);
  }

  const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text || "") && !Number.isNaN(Date.parse(text));

  /** What the address asks for; what makes no sense is as if it were not there. */
  function read(search) {
    const wanted = new URLSearchParams(search || "");
    const seconds = (name, least) => {
      const value = Number(wanted.get(name));
      return Number.isFinite(value) && value > 0 ? Math.min(Math.max(value, least), MOST_SECONDS) : 0;
    };
    const theme = plan.themes.find((each) => each.name === wanted.get("theme")) || plan.themes[0];
    const period = wanted.get("period") in plan.periods ? wanted.get("period") : plan.period;
    const [since, until] = [wanted.get("since"), wanted.get("until")];
    const range = period === "range" && isDay(since) && isDay(until) && since <= until;
    return {
      theme: theme ? theme.name : "", area: wanted.get("area") || plan.home,
      period: period === "range" && !range ? plan.period : period, since: range ? since : "", until: range ? until : "",
      kiosk: plan.guest || wanted.get("kiosk") === "1", rotate: seconds("rotate", 5), refresh: seconds("refresh", 2),
      draft: wanted.get("draft") === "1",
    };
  }

  /** The arrangement that an administrator is trying out beside this page. */
  function draft() {
    if (!state.draft) return null;
    const kept = JSON.parse(localStorage.getItem("cockpit.draft") || "null");
    return kept && kept.theme === state.theme ? kept : null;
  }

  /** The frames of the theme: as an administrator arranged them for this area, else for one above, else as they come. */
  function framesOf() {
    const inside = (area) => state.area === area || state.area.startsWith(`${area}/`) || area === "";
    const boards = plan.boards.filter((each) => each.theme === state.theme && inside(each.area));
    const board = draft() || boards.sort((one, other) => other.area.length - one.area.length)[0];
    const names = board ? board.places : plan.frames[state.theme] || {};
    const framed = (name) => ({ name, ...plan.panels[name] });
    return Object.fromEntries(["top", "left", "right"].map((place) => [place, (names[place] || []).filter((name) => plan.panels[name]).map(framed)]));
  }

  /** Show what the address names. The map stays as it is; only its layers change. */
  function show(search, given) {
    if (plan !== (newest || given)) for (const each of [cockpit.map, cockpit.card]) each.setPlan(newest || given);
    plan = newest || given;
    state = cockpit.state = read(search);
    const theme = plan.themes.find((each) => each.name === state.theme);
    document.title = theme ? `${theme.title} · ${plan.title}` : plan.title;
    cockpit.fit();
    cockpit.room.enter(plan, theme);
    drawTabs();

    const layers = plan.layers[state.theme] || [];
    const frames = framesOf();
    const areaKey = `area ${state.area}`;
    stop((key) => key === areaKey || key === "plan"); // the boundaries are good for all themes
    cockpit.map.setLayers(layers, state.area);
    const placed = cockpit.panels.arrange(frames, viewOf({}));
    if (!state.area) return;
    start("plan", "plan", PLAN_SECONDS, (changed) => replan(changed, given));
    start(areaKey, "area", AREA_SECONDS, cockpit.map.showAreas);
    for (const frame of Object.values(frames).flat()) if (!frame.content) startPanel(frame.name, frame, placed[frame.name]);
    for (const layer of layers) {
      const shown = (points) => plan.guest && Array.isArray(points) ? points.map((point) => ({ ...point, picture: "" })) : points;
      const deliver = (points) => cockpit.map.showPoints(layer.name, shown(points));
      const path = `layers/${encodeURIComponent(layer.name)}`;
      const view = viewOf(layer);
      const seconds = layer.live ? LIVE_SECONDS : layer.moving ? TICK_SECONDS : LAYER_SECONDS;
      start(`layer ${layer.name} ${view}`, path, seconds, deliver, undefined, view);
    }
  }

  /** Take over what panels there are and where they stand, when that has changed while the page was open. */
  function replan(changed, given) {
    if (JSON.stringify(changed) === JSON.stringify(plan)) return;
    newest = changed;
    show(location.search, given);
  }

  /** Go to another theme or area; the browser's back button returns. */
  cockpit.go = (change) => {
    const wanted = new URLSearchParams(location.search);
    const usual = { area: plan.home, period: plan.period };
    for (const [name, value] of Object.entries(change)) {
      if (value && value !== usual[name]) wanted.set(name, value);
      else wanted.delete(name);
    }
    const search = wanted.toString();
    window.dash_clientside.set_props("url", { search: search ? `?${search}` : "" });
  };

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-theme]");
    if (chosen) return cockpit.go({ theme: chosen.dataset.theme });
    const row = event.target.closest("[data-lon], [data-record]");
    if (row) cockpit.map.visit(parseFloat(row.dataset.lat), parseFloat(row.dataset.lon), row.dataset.key, plan.guest ? "" : row.dataset.record);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-lon], [data-record]")) event.target.click();
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    cockpit: {
      show(search, given) {
        show(search, given);
        return window.dash_clientside.no_update;
      },
    },
  });
})();
