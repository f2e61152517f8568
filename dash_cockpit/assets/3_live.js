/* The page's state (theme and area, kept in the address) and its feeds: panels, map layers, boundaries. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const LIVE_SECONDS = 1.4; // with what the server may keep, new things are there within two
  const TICK_SECONDS = 2;
  const LAYER_SECONDS = 60;
  const AREA_SECONDS = 600;
  const ANSWER_WITHIN_MILLISECONDS = 10000;

  let plan = null;
  let state = { theme: "", area: "" };
  let feeds = new Map();

  // --- Feeds ---------------------------------------------------------------------------------------------------

  function start(key, path, seconds, deliver, tell = () => {}) {
    if (feeds.has(key)) return;
    const address = `${plan.data}${path}?area=${encodeURIComponent(state.area)}`;
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
    node.className = `link-state ${lost ? "is-lost" : "is-live"}`;
    node.textContent = lost ? "连接中断，正在重试" : "实时";
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

  function startPanel(name, seconds, { body, age }) {
    const deliver = (content, feed) => {
      if (feed.state === "failed" && body.filled) return; // the last good picture says more than an error
      body.filled = feed.state !== "failed";
      cockpit.panels.fill(body, content);
    };
    const tell = (feed) => {
      const text = ageText(feed);
      if (text !== age.textContent) age.textContent = text;
    };
    start(`panel ${name} ${state.area}`, `panels/${encodeURIComponent(name)}`, seconds, deliver, tell);
  }

  function drawTabs() {
    const tabs = plan.themes.map((theme) => {
      const chosen = theme.name === state.theme;
      const attributes = { class: chosen ? "theme is-chosen" : "theme", "data-theme": theme.name, "aria-current": chosen ? "page" : null };
      return cockpit.element("button", attributes, theme.title);
    });
    document.getElementById("themes").replaceChildren(...tabs);
  }

  /** Show the theme and area that the address names. The map stays as it is; only its layers change. */
  function show(search, given) {
    if (plan !== given) for (const each of [cockpit.map, cockpit.card]) each.setPlan(given);
    plan = given;
    const wanted = new URLSearchParams(search || "");
    const theme = plan.themes.find((each) => each.name === wanted.get("theme")) || plan.themes[0];
    state = { theme: theme ? theme.name : "", area: wanted.get("area") || plan.home };
    document.title = theme ? `${theme.title} · ${plan.title}` : plan.title;
    drawTabs();

    const layers = plan.layers[state.theme] || [];
    const frames = plan.frames[state.theme] || {};
    const areaKey = `area ${state.area}`;
    stop((key) => key === areaKey); // the boundaries are good for all themes
    cockpit.map.setLayers(layers, state.area);
    const placed = cockpit.panels.arrange(frames, state.area);
    if (!state.area) return;
    start(areaKey, "area", AREA_SECONDS, cockpit.map.showAreas);
    for (const { name, seconds } of Object.values(frames).flat()) startPanel(name, seconds, placed[name]);
    for (const layer of layers) {
      const deliver = (points) => cockpit.map.showPoints(layer.name, points);
      const path = `layers/${encodeURIComponent(layer.name)}`;
      start(`layer ${layer.name} ${state.area}`, path, layer.live ? LIVE_SECONDS : layer.moving ? TICK_SECONDS : LAYER_SECONDS, deliver);
    }
  }

  /** Go to another theme or area; the browser's back button returns. */
  cockpit.go = (change) => {
    const wanted = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(change)) {
      if (value && !(name === "area" && value === plan.home)) wanted.set(name, value);
      else wanted.delete(name);
    }
    const search = wanted.toString();
    window.dash_clientside.set_props("url", { search: search ? `?${search}` : "" });
  };

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-theme]");
    if (chosen) return cockpit.go({ theme: chosen.dataset.theme });
    const row = event.target.closest("[data-lon], [data-record]");
    if (row) cockpit.map.visit(parseFloat(row.dataset.lat), parseFloat(row.dataset.lon), row.dataset.key, row.dataset.record);
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
