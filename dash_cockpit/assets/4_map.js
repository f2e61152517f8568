/* The map: styles of boundaries, points in panes of their own, cards, and new things that pulse and are flown to. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element, timeText } = cockpit;
  const ALERTS = { hint: "提示", minor: "一般", major: "较重", critical: "严重" };
  const TICKER_KEPT = 12;
  const TICKER_MILLISECONDS = 4000;
  const NEW_MILLISECONDS = 15000; // how long a new point pulses, and how long the map stays with it
  const UNTOUCHED_MILLISECONDS = 20000; // who moves the map himself is not carried away

  let map = null;
  let bounds = null;
  let framed = false;
  let touchedAt = -Infinity;
  let returning = null;
  let layers = new Map(); // name -> { title, live, colour, group, markers, hidden, known }
  let area = "";
  let waitingCard = "";

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const toneColour = (point, layer) => (point.tone === "plain" ? layer.colour : css(`--tone-${point.tone}`));

  L.Map.addInitHook(function () {
    map = this;
    map.on("mousedown wheel touchstart", () => (touchedAt = performance.now()));
    map.on("zoomend", resizePoints);
    map.whenReady(() => {
      map.getContainer().addEventListener("wheel", () => (touchedAt = performance.now()), { passive: true });
      const room = new ResizeObserver(() => {
        map.invalidateSize({ animate: false });
        if (performance.now() - touchedAt > UNTOUCHED_MILLISECONDS) frameBounds(false);
      });
      for (const node of [map.getContainer(), ...document.querySelectorAll("#top, .middle")]) room.observe(node);
      for (const layer of layers.values()) layer.group.addTo(map);
    });
  });

  // --- Boundaries ----------------------------------------------------------------------------------------------

  const FILLS = ["#0f4f9e", "#0c4488", "#115a9c", "#0e3f82", "#14549a", "#0b4a90"];
  const shade = (path) => FILLS[[...path].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7) % FILLS.length];

  // The area stands on a slab that glows. Copies of the outline draw it: a filter would be painted anew every frame.
  const SLAB = [
    { weight: 46, opacity: 0.05, drop: 10 }, { weight: 30, opacity: 0.07, drop: 10 }, { weight: 16, opacity: 0.12, drop: 10 },
    { weight: 2, opacity: 1, drop: 12, color: "#072a5c", fill: "#072a5c" },
    { weight: 2, opacity: 1, drop: 8, color: "#0a3c80", fill: "#0a3c80" },
    { weight: 2, opacity: 1, drop: 4, color: "#1158b0", fill: "#1158b0" },
    { weight: 3, opacity: 1, drop: 0, color: "#7fdcff", fill: "#0a2c62" },
  ];

  const groundOf = (features) => SLAB.flatMap((_, step) =>
    features.map((each) => ({ ...each, properties: { step } })));

  function groundStyle(feature) {
    const { weight, opacity, drop, color = "#2f9bff", fill } = SLAB[feature.properties.step];
    return { color, weight, opacity, fill: Boolean(fill), fillColor: fill, fillOpacity: 1, className: `drop-${drop}`, interactive: false };
  }

  function areaStyle(feature) {
    const { role, path } = feature.properties;
    if (role === "around") return { color: "#2d5c9e", weight: 1, opacity: 0.7, fillColor: "#0a2148", fillOpacity: 0.55 };
    if (role === "whole") return { color: "#7fdcff", weight: 2.5, fillColor: "#0d4285", fillOpacity: 0.15, className: "whole" };
    if (role === "part") return { color: "#59c2ff", weight: 1.6, opacity: 0.95, fillColor: shade(path), fillOpacity: 0.5 };
    return { color: "#58a6ee", weight: 0.8, opacity: 0.38, fill: false, interactive: false };
  }

  function eachArea(feature, layer) {
    const { role, name, path } = feature.properties;
    if (role === "detail" || role === "whole") return;
    const permanent = role === "part";
    layer.bindTooltip(name, { permanent, direction: "center", className: `area-name area-${role}`, pane: permanent ? "labels" : "tooltipPane" });
    layer.on("mouseover", () => layer.setStyle({ fillColor: "#2487f0", fillOpacity: 0.55 }));
    layer.on("mouseout", () => layer.setStyle(areaStyle(feature)));
    layer.on("click", () => cockpit.go({ area: path }));
  }

  /** Show new boundaries, the trail to them, and move there. */
  function showAreas(geojson) {
    const whole = geojson.features.filter((each) => each.properties.role === "whole");
    const shown = whole.length ? whole : geojson.features.filter((each) => each.properties.role !== "around");
    window.dash_clientside.set_props("areas", { data: { type: "FeatureCollection", features: geojson.features } });
    window.dash_clientside.set_props("ground", { data: { type: "FeatureCollection", features: groundOf(shown) } });
    const box = L.geoJSON({ type: "FeatureCollection", features: shown }).getBounds();
    bounds = box.isValid() ? box : null;
    frameBounds(true);
    const trail = document.getElementById("trail");
    trail.replaceChildren(
      ...geojson.trail.map((each, i) =>
        element("button", {
          class: i === geojson.trail.length - 1 ? "trail-step is-here" : "trail-step",
          onclick: () => cockpit.go({ area: each.path }),
        }, each.name),
      ),
    );
  }

  /** The part of the map that panels, figures and ticker leave free, in the map's own pixels. */
  function freeBox() {
    const stage = map.getContainer().getBoundingClientRect();
    const scale = stage.width / map.getContainer().offsetWidth;
    const middle = document.querySelector(".middle").getBoundingClientRect();
    const top = document.getElementById("top").getBoundingClientRect();
    return {
      left: (middle.left - stage.left) / scale, right: (middle.right - stage.left) / scale,
      top: (top.bottom - stage.top) / scale, bottom: (middle.bottom - stage.top) / scale - 50,
    };
  }

  /** Move so that `latLng` comes to lie at `share` (0 to 1 across and down) of the free part. */
  function moveTo(latLng, zoom, [across, down], animate) {
    const free = freeBox();
    const at = L.point(free.left + (free.right - free.left) * across, free.top + (free.bottom - free.top) * down);
    const centre = map.unproject(map.project(latLng, zoom).subtract(at.subtract(map.getSize().divideBy(2))), zoom);
    if (animate) map.flyTo(centre, zoom, { duration: 0.9 });
    else map.setView(centre, zoom, { animate: false });
  }

  /** Fit the boundaries into the free part. */
  function frameBounds(animate) {
    if (!map || !bounds || !map.getContainer().offsetWidth) return;
    const free = freeBox();
    const margin = L.point(90, 96);
    const taken = map.getSize().subtract([free.right - free.left, free.bottom - free.top]).add(margin);
    const zoom = Math.min(map.getBoundsZoom(bounds, false, taken), 18);
    moveTo(bounds.getCenter(), zoom, [0.5, 0.5], animate && framed);
    framed = true;
  }

  // --- Points --------------------------------------------------------------------------------------------------

  const radius = () => Math.max(3.6, Math.min(9, 4.4 + (map.getZoom() - 12) * 1.1));

  function resizePoints() {
    for (const { markers } of layers.values()) {
      for (const marker of markers.values()) if (marker.setRadius) marker.setRadius(radius());
    }
  }

  let drawing = null;
  function makeMarker(point, layer) {
    if (layer.live || ALERTS[point.tone]) {
      const colour = toneColour(point, layer);
      const icon = L.divIcon({ className: `flag ${ALERTS[point.tone] ? "" : "flag-plain"}`, iconSize: [26, 26], html: "" });
      const marker = L.marker([point.lat, point.lon], { icon, pane: "live", keyboard: false });
      marker.on("add", () => {
        const mark = element("span", { class: ALERTS[point.tone] ? `mark mark-${point.tone}` : "pin" });
        marker.getElement().replaceChildren(mark);
        marker.getElement().style.setProperty("--tone", colour);
      });
      return marker;
    }
    drawing = drawing || L.svg({ pane: "points", padding: 0.3 });
    return L.circleMarker([point.lat, point.lon], {
      pane: "points", renderer: drawing, radius: radius(), weight: 1.2, color: "#04122c", opacity: 0.9,
      fillColor: toneColour(point, layer), fillOpacity: 0.95,
    });
  }

  function card(point, layer) {
    const level = ALERTS[point.tone];
    const chip = level ? element("span", { class: `mark mark-${point.tone}`, title: level }) : element("span", { class: "swatch" });
    if (!level) chip.style.background = toneColour(point, layer);
    const rows = [["类型", point.kind], ...(level ? [["等级", level]] : []), ...(point.details || [])];
    if (point.at) rows.push(["时间", timeText(point.at)]);
    const body = element("div", { class: "card" },
      element("div", { class: "card-head" }, chip, element("strong", {}, point.label)),
      ...(point.picture ? [element("img", { class: "card-photo", src: point.picture, alt: "" })] : []),
      element("dl", {}, ...rows.filter(([, text]) => text).flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)])));
    return body;
  }

  function openCard(marker) {
    const free = freeBox();
    const size = map.getSize();
    marker.unbindPopup();
    marker.bindPopup(card(marker.point, marker.layerState), {
      minWidth: 250, maxWidth: 300, className: "card-popup",
      autoPanPaddingTopLeft: [free.left + 12, free.top + 12], autoPanPaddingBottomRight: [size.x - free.right + 12, size.y - free.bottom + 12],
    });
    marker.openPopup();
  }

  function place(point, layer) {
    const marker = makeMarker(point, layer);
    marker.layerState = layer;
    marker.point = point;
    marker.bindTooltip(() => element("span", {}, `${marker.point.kind}　${marker.point.label}`), { direction: "top", className: "point-name", offset: [0, -6] });
    marker.on("click", () => openCard(marker));
    marker.addTo(layer.group);
    layer.markers.set(point.key, marker);
    return marker;
  }

  /** Use the layers of a theme; those that stay keep their points, so that nothing flickers. */
  function setLayers(wanted, wantedArea) {
    const moved = wantedArea !== area;
    area = wantedArea;
    for (const [name, layer] of layers) {
      if (!moved && wanted.some((each) => each.name === name)) continue;
      layer.group.remove();
      layers.delete(name);
    }
    clearTimeout(returning);
    if (map) map.closePopup();
    const ordered = new Map();
    for (const each of wanted) {
      const layer = layers.get(each.name) || { group: L.layerGroup(), markers: new Map(), hidden: false, known: null };
      Object.assign(layer, each);
      if (map && !layer.hidden) layer.group.addTo(map);
      ordered.set(each.name, layer);
    }
    layers = ordered;
    drawLegend();
    drawTicker();
  }

  /** Draw a layer's points: those that are gone go, those that stay move, and new ones of a live layer are announced. */
  function showPoints(name, points) {
    const layer = layers.get(name);
    if (!layer || !map) return;
    const now = new Map(points.map((point) => [point.key, point]));
    for (const [key, marker] of layer.markers) {
      const point = now.get(key);
      if (point && point.tone === marker.point.tone) {
        marker.setLatLng([point.lat, point.lon]);
        marker.point = point;
      } else {
        marker.remove();
        layer.group.removeLayer(marker);
        layer.markers.delete(key);
      }
    }
    const fresh = [];
    for (const point of points) {
      if (layer.markers.has(point.key)) continue;
      const marker = place(point, layer);
      if (layer.live && layer.known && !layer.known.has(point.key)) fresh.push(marker);
    }
    layer.known = layer.known || new Set();
    for (const key of now.keys()) layer.known.add(key);
    if (layer.known.size > points.length + 5000) layer.known = new Set(now.keys());
    drawLegend();
    drawTicker();
    if (fresh.length) announce(fresh);
  }

  const newest = (one, other) => (one.point.at || "") < (other.point.at || "") ? 1 : -1;

  /** Let new points pulse, and show the newest unless somebody is using the map. */
  function announce(markers) {
    document.dispatchEvent(new CustomEvent("cockpit:news"));
    for (const marker of markers) {
      const node = marker.getElement();
      if (!node) continue;
      node.classList.add("is-new");
      setTimeout(() => node.classList.remove("is-new"), NEW_MILLISECONDS);
    }
    const [first] = [...markers].sort(newest);
    if (first.layerState.hidden || performance.now() - touchedAt < UNTOUCHED_MILLISECONDS) return;
    visitMarker(first);
    clearTimeout(returning);
    returning = setTimeout(() => {
      if (performance.now() - touchedAt < NEW_MILLISECONDS) return;
      map.closePopup();
      frameBounds(true);
    }, NEW_MILLISECONDS);
  }

  /** Fly to a place so that it comes to lie below the middle, with room for its card. */
  function flyTo(latLng) {
    const near = bounds ? map.getBoundsZoom(bounds) + 1.2 : 15;
    moveTo(latLng, Math.max(map.getZoom(), Math.min(near, 17)), [0.5, 0.7], true);
  }

  function visitMarker(marker) {
    flyTo(marker.getLatLng());
    waitingCard = marker.point.key;
    map.once("moveend", () => waitingCard === marker.point.key && marker._map && openCard(marker));
  }

  /** Go to the place of a list's row: to its point when the map shows it, else to the bare place. */
  function visit(lat, lon, key) {
    touchedAt = performance.now();
    for (const layer of layers.values()) {
      const marker = key && layer.markers.get(key);
      if (marker && !layer.hidden) return visitMarker(marker);
    }
    flyTo(L.latLng(lat, lon));
  }

  // --- Legend and ticker ---------------------------------------------------------------------------------------

  function sample(point, layer) {
    if (ALERTS[point.tone]) return element("span", { class: `mark mark-${point.tone}` });
    const swatch = element("span", { class: layer.live ? "swatch swatch-live" : "swatch" });
    swatch.style.background = toneColour(point, layer);
    return swatch;
  }

  function drawLegend() {
    const node = document.getElementById("legend");
    if (!node) return;
    node.replaceChildren(...[...layers.values()].map((layer) => {
      const points = [...layer.markers.values()].map((marker) => marker.point);
      const samples = new Map();
      for (const point of points) if (!samples.has(point.tone)) samples.set(point.tone, point);
      const signs = samples.size ? [...samples.values()].slice(0, 4) : [{ tone: "plain" }];
      return element("button", {
        class: layer.hidden ? "legend-layer is-hidden" : "legend-layer", "aria-pressed": String(!layer.hidden),
        title: layer.hidden ? "显示" : "隐藏",
        onclick: () => {
          layer.hidden = !layer.hidden;
          if (layer.hidden) layer.group.remove(); else layer.group.addTo(map);
          drawLegend();
        },
      }, element("span", { class: "legend-signs" }, ...signs.map((point) => sample(point, layer))),
      element("span", { class: "legend-title" }, layer.title), element("span", { class: "legend-count" }, String(points.length)));
    }));
  }

  let tickerAt = 0;
  let tickerItems = [];

  function drawTicker() {
    tickerItems = [...layers.values()].filter((layer) => layer.live)
      .flatMap((layer) => [...layer.markers.values()]).sort(newest).slice(0, TICKER_KEPT);
    if (!tickerItems.some((marker) => marker.point.key === shownTicker)) turnTicker(0);
    else if (tickerItems.length && tickerItems[0].point.key !== tickerNewest) turnTicker(0);
    tickerNewest = tickerItems.length ? tickerItems[0].point.key : "";
  }

  let shownTicker = null;
  let tickerNewest = "";

  function turnTicker(to) {
    const node = document.getElementById("ticker");
    if (!node) return;
    const marker = tickerItems[(tickerAt = tickerItems.length ? to % tickerItems.length : 0)];
    shownTicker = marker ? marker.point.key : null;
    node.classList.toggle("is-empty", !marker);
    if (!marker) return node.replaceChildren();
    const { point, layerState } = marker;
    node.replaceChildren(element("button", { class: "ticker-line", onclick: () => visit(point.lat, point.lon, point.key) },
      element("span", { class: "ticker-name" }, layerState.title), sample(point, layerState),
      element("span", { class: "ticker-text" }, point.label),
      element("span", { class: "ticker-kind" }, point.kind),
      element("span", { class: "ticker-time" }, point.at ? timeText(point.at) : "")));
  }
  setInterval(() => tickerItems.length > 1 && !document.querySelector("#ticker:hover") && turnTicker(tickerAt + 1), TICKER_MILLISECONDS);

  cockpit.map = { groundStyle, areaStyle, eachArea, showAreas, setLayers, showPoints, visit, handle: () => map };
})();
