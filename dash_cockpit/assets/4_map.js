/* The map: boundaries and what colours them, layers, flights, and backgrounds. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element } = cockpit;
  const ALERTS = { hint: "提示", minor: "一般", major: "较重", critical: "严重" };
  const TICK_MILLISECONDS = 2000; // moving things are told of so often
  const NEW_MILLISECONDS = 15000; // how long a new point pulses, and how long the map stays with it
  const UNTOUCHED_MILLISECONDS = 20000; // who moves the map himself is not carried away
  const DEEPEST = 18.5;
  const MUCH_SMALLER = 0.4; // levels of zoom
  const DEEP = 2; // so far inside of an area its colour only tints the ground
  // From the ground up, each over the one before. Leaflet's own overlays lie at 400, its tooltips at 650.
  const PANES = { heat: 440, points: 450, labels: 455, moving: 458, live: 460 };

  let map = null;
  let plan = {};
  let bounds = null;
  let framedCentre = null; // where the map was brought to by itself
  let framed = false;
  let framedZoom = 0;
  let deep = false;
  let touchedAt = -Infinity;
  let returning = null;
  let layers = new Map(); // name -> what the plan says, and { hidden, known, points, flat, movers, values }
  let area = "";
  let shapes = new Map(); // path -> the drawn polygon of an area that can be entered
  let background = null; // the name of the chosen tiles
  let tiles = [];

  const toneColour = (point, layer) => cockpit.points.toneColour(point.tone, layer);
  const covers = (layer) => layer.style === "areas" || layer.style === "heat";
  const touch = () => (touchedAt = performance.now());
  const moves = () => !cockpit.points.still();

  L.Map.addInitHook(function () {
    map = this;
    map.on("mousedown wheel touchstart", touch);
    for (const [name, height] of Object.entries(PANES)) map.createPane(name).style.zIndex = height;
    map.whenReady(() => {
      cockpit.points.attach(map, { open: openPoint, zoomTo });
      map.getContainer().addEventListener("wheel", touch, { passive: true });
      map.on("zoomend moveend", () => {
        const was = deep;
        deep = map.getZoom() > framedZoom + DEEP;
        if (deep === was) declutter();
        else paintAreas();
      });
      const room = new ResizeObserver(() => {
        map.invalidateSize({ animate: false });
        const free = performance.now() - touchedAt > UNTOUCHED_MILLISECONDS && !cockpit.card.opened();
        if (free) frame(false);
      });
      for (const node of [map.getContainer(), ...document.querySelectorAll("#top, .middle, #legend")]) room.observe(node);
      drawBackground();
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
    if (role === "around") return { color: "#2d5c9e", weight: 1, opacity: 0.7, fillColor: "#0a2148", fillOpacity: background ? 0.25 : 0.55 };
    if (role === "whole") return { color: "#7fdcff", weight: 2.5, fillColor: "#0d4285", fillOpacity: background ? 0.04 : 0.15, className: "whole" };
    if (role === "part") return { color: "#59c2ff", weight: 1.6, opacity: 0.95, ...partFill(path) };
    return { color: "#58a6ee", weight: 0.8, opacity: 0.38, fill: false, interactive: false };
  }

  /** How an area is filled: by its class when a figure colours the map, fainter while points stand on it. */
  function partFill(path) {
    const scale = choropleth();
    if (!scale) return { fillColor: shade(path), fillOpacity: background ? 0.12 : deep ? 0.3 : 0.5 };
    const number = scale.classOf(path);
    const faint = [...layers.values()].some((layer) => !covers(layer) && !layer.hidden && layer.points.size);
    const fillOpacity = deep ? 0.25 : background ? 0.5 : faint ? 0.62 : 0.9;
    return number < 0 ? { fillColor: "#16243f", fillOpacity } : { fillColor: scale.colours[number], fillOpacity };
  }

  function eachArea(feature, shape) {
    const { role, name, path } = feature.properties;
    if (role === "detail" || role === "whole") return;
    const permanent = role === "part";
    if (permanent) shapes.set(path, shape);
    paintSoon();
    shape.bindTooltip(() => label(name, path, permanent), { permanent, interactive: permanent, direction: "center", className: `area-name area-${role}`, pane: permanent ? "labels" : "tooltipPane" });
    shape.on("mouseover", () => shape.setStyle({ fillColor: "#2487f0", fillOpacity: 0.55 }));
    shape.on("mouseout", () => shape.setStyle(areaStyle(feature)));
    // Who clicks on a name means the area; elsewhere a point that lies there comes first.
    shape.on("click", (event) => (cockpit.points.onName(event) || !cockpit.points.at(event.latlng)) && cockpit.go({ area: path }));
  }

  function label(name, path, permanent) {
    const scale = permanent && choropleth();
    const text = scale && scale.textOf(path);
    return element("span", {}, name, ...(text ? [element("b", { class: "area-value" }, text)] : []));
  }

  /** Hide the names that would lie on others; the larger areas keep theirs. */
  function declutter() {
    const placed = [];
    const size = (shape) => { const box = shape.getBounds(); return (box.getEast() - box.getWest()) * (box.getNorth() - box.getSouth()); };
    for (const shape of [...shapes.values()].sort((one, other) => size(other) - size(one))) {
      const node = shape.getTooltip() && shape.getTooltip().getElement();
      if (!node) continue;
      node.classList.remove("is-covered");
      const box = node.getBoundingClientRect();
      const covered = placed.some((each) => box.left < each.right && each.left < box.right && box.top < each.bottom && each.top < box.bottom);
      node.classList.toggle("is-covered", covered);
      if (!covered) placed.push(box);
    }
  }

  /** Show new boundaries, the trail to them, and move there. */
  function showAreas(geojson) {
    const whole = geojson.features.filter((each) => each.properties.role === "whole");
    const shown = whole.length ? whole : geojson.features.filter((each) => each.properties.role !== "around");
    shapes = new Map();
    window.dash_clientside.set_props("areas", { data: { type: "FeatureCollection", features: geojson.features } });
    window.dash_clientside.set_props("ground", { data: { type: "FeatureCollection", features: groundOf(shown) } });
    const box = L.geoJSON({ type: "FeatureCollection", features: shown }).getBounds();
    bounds = box.isValid() ? box : null;
    framed = framed && Boolean(bounds);
    frame(true);
    trail = geojson.trail;
    drawTrail(geojson.below || []);
  }

  let trail = [];

  function drawTrail(below) {
    const steps = trail.map((each, i) =>
      element("button", {
        class: i === trail.length - 1 ? "trail-step is-here" : "trail-step",
        onclick: () => { cockpit.card.close(); if (i === trail.length - 1) frame(true); else cockpit.go({ area: each.path }); },
      }, each.name));
    // Areas that were never drawn are reached from here.
    const menu = below.length && element("details", { class: "trail-below" },
      element("summary", { title: "下级区域" }, "下级区域"),
      element("div", { class: "trail-menu" }, ...below.map((each) => element("button", { onclick: () => cockpit.go({ area: each.path }) }, each.name))));
    document.getElementById("trail").replaceChildren(...steps, ...(menu ? [menu] : []), element("span", { class: "trail-point" }));
  }

  /** Say at the end of the trail which point is open. */
  function tellPoint(name) {
    const node = document.querySelector(".trail-point");
    if (node) node.textContent = name;
  }

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".trail-below[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // --- Figures by area -----------------------------------------------------------------------------------------

  /** The classes of the layer that colours the areas now, or null. */
  function choropleth() {
    const layer = [...layers.values()].find((each) => each.style === "areas" && !each.hidden && each.values);
    return layer ? cockpit.legend.classes(layer.values, [...shapes.keys()]) : null;
  }

  let painting = null;

  /** Paint once all areas that are being drawn are there: their classes depend on all of them. */
  function paintSoon() {
    if (!painting) painting = setTimeout(() => { painting = null; paintAreas(); drawLegend(); }, 60);
  }

  function paintAreas() {
    for (const [path, shape] of shapes) {
      shape.setStyle(areaStyle(shape.feature));
      shape.getTooltip().setContent(label(shape.feature.properties.name, path, true));
    }
    declutter();
  }

  // --- Flights -------------------------------------------------------------------------------------------------

  /** The part of the map that panels, figures, card and ticker leave free, in the map's own pixels. */
  function freeBox(besideLegend = false) {
    const stage = map.getContainer().getBoundingClientRect();
    const scale = stage.width / map.getContainer().offsetWidth;
    const middle = document.querySelector(".middle").getBoundingClientRect();
    const top = document.getElementById("top").getBoundingClientRect();
    const card = document.getElementById("card");
    const shut = card.offsetWidth ? card.getBoundingClientRect().right : middle.left;
    const legend = document.getElementById("legend");
    const open = besideLegend && legend.offsetWidth ? legend.getBoundingClientRect().left : middle.right;
    return {
      left: (shut - stage.left) / scale, right: (open - stage.left) / scale,
      top: (top.bottom - stage.top) / scale, bottom: (middle.bottom - stage.top) / scale - 50,
    };
  }

  /** Move so that `latLng` comes to lie at `share` (0 to 1 across and down) of the free part. */
  function moveTo(latLng, zoom, [across, down], animate, free = freeBox()) {
    const at = L.point(free.left + (free.right - free.left) * across, free.top + (free.bottom - free.top) * down);
    const centre = map.unproject(map.project(latLng, zoom).subtract(at.subtract(map.getSize().divideBy(2))), zoom);
    if (animate && moves()) map.flyTo(centre, zoom, { duration: 0.9 });
    else map.setView(centre, zoom, { animate: false });
  }

  function zoomFor(box, margin, free = freeBox()) {
    const taken = map.getSize().subtract([free.right - free.left, free.bottom - free.top]).add(margin);
    return map.getBoundsZoom(box, false, taken);
  }

  /** Fit the boundaries into the free part; without any, what the points leave of the world. */
  function frame(animate) {
    const box = bounds || pointsBox();
    if (!map || !box || !map.getContainer().offsetWidth) return;
    // Beside the legend, unless that would make the picture much smaller.
    const [wide, narrow] = [freeBox(), freeBox(true)];
    const margin = L.point(70, 96);
    const free = zoomFor(box, margin, narrow) > zoomFor(box, margin, wide) - MUCH_SMALLER ? narrow : wide;
    framedZoom = Math.min(zoomFor(box, margin, free), 18);
    moveTo(box.getCenter(), framedZoom, [0.5, 0.5], animate && framed, free);
    framed = true;
    framedCentre = map.getCenter();
  }

  /** Where most points are; one that lies far off does not draw the map away from all others. */
  function pointsBox() {
    // Places count, and not how much lies on one of them.
    const every = [...layers.values()].flatMap((layer) => [...layer.points.values()]);
    const all = [...new Map(every.map((point) => [`${point.lon.toFixed(4)} ${point.lat.toFixed(4)}`, point])).values()];
    if (!all.length) return null;
    const middle = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
    const near = (name) => {
      const at = middle(all.map((point) => point[name]));
      const spread = middle(all.map((point) => Math.abs(point[name] - at)));
      return (point) => Math.abs(point[name] - at) <= Math.max(6 * spread, 0.004);
    };
    const [nearLon, nearLat] = [near("lon"), near("lat")];
    return L.latLngBounds(all.filter((point) => nearLon(point) && nearLat(point)).map((point) => [point.lat, point.lon])).pad(0.08);
  }

  function flyTo(latLng, closer = 1.2) {
    const near = bounds ? map.getBoundsZoom(bounds) + closer : 15;
    moveTo(latLng, Math.max(map.getZoom(), Math.min(near, 17)), [0.5, 0.5], true);
  }

  /** Move only as far as it takes to see a place beside the card. */
  function uncover(latLng) {
    const free = freeBox();
    const at = map.latLngToContainerPoint(latLng);
    if (at.x < free.left + 30 || at.x > free.right - 30 || at.y < free.top + 30 || at.y > free.bottom - 30) moveTo(latLng, map.getZoom(), [0.5, 0.5], true);
  }

  /** Come nearer to the things of a cluster; where they lie on one spot, list them. */
  function zoomTo(members) {
    touch();
    const box = L.latLngBounds(members.map(({ point }) => [point.lat, point.lon]));
    const spread = map.distance(box.getSouthWest(), box.getNorthEast());
    if (spread < 4 || map.getZoom() >= DEEPEST) return cockpit.card.list(members);
    const zoom = Math.max(map.getZoom() + 1, Math.min(zoomFor(box, L.point(240, 240)), map.getZoom() + 2.5));
    moveTo(box.getCenter(), Math.min(zoom, DEEPEST), [0.5, 0.5], true);
  }

  // --- Backgrounds ---------------------------------------------------------------------------------------------

  const CHOICE = "cockpit.background";

  function setPlan(given) {
    plan = given;
    const names = (plan.tiles ? plan.tiles.backgrounds : []).map((each) => each.name);
    const chosen = localStorage.getItem(CHOICE);
    background = names.includes(chosen) || chosen === "" ? chosen || null : names[0] || null;
    drawBackground();
  }

  function drawBackground() {
    if (!map || !plan.tiles) return;
    for (const each of tiles) each.remove();
    const wanted = plan.tiles.backgrounds.find((each) => each.name === background);
    tiles = (wanted ? wanted.layers : []).map((name) =>
      L.tileLayer(`${plan.tiles.address}${name}/{z}/{x}/{y}`, { maxNativeZoom: 18, maxZoom: 19, keepBuffer: 1, updateWhenZooming: false }).addTo(map));
    const container = map.getContainer();
    container.classList.toggle("has-tiles", Boolean(wanted));
    container.dataset.background = background || "";
    paintAreas();
  }

  function chooseBackground(name) {
    background = name || null;
    localStorage.setItem(CHOICE, name);
    drawBackground();
    drawLegend();
  }

  // --- Layers --------------------------------------------------------------------------------------------------

  function redraw() {
    cockpit.points.show([...layers.values()]);
    drawLegend();
    cockpit.legend.tick([...layers.values()]);
  }

  function drawLegend() {
    cockpit.legend.draw({
      layers: [...layers.values()], scale: choropleth(), background,
      backgrounds: plan.tiles ? plan.tiles.backgrounds : [],
      toggle: (layer) => change(() => (layer.hidden = !layer.hidden)),
      cover: (name) => change(() => { for (const layer of layers.values()) if (covers(layer)) layer.hidden = layer.name !== name; }),
      choose: chooseBackground,
    });
  }

  function change(apply) {
    apply();
    paintAreas();
    redraw();
  }

  /** Use the layers of a theme; those that stay keep their points, so that nothing flickers. */
  function setLayers(wanted, wantedArea) {
    const moved = wantedArea !== area;
    area = wantedArea;
    clearTimeout(returning);
    if (moved || wanted.some((each) => !layers.has(each.name))) cockpit.card.close();
    const kept = new Map();
    let covered = false;
    for (const each of wanted) {
      const before = moved ? undefined : layers.get(each.name);
      const old = layers.get(each.name);
      const layer = before || { points: new Map(), flat: null, movers: null, values: null, known: null, hidden: old ? old.hidden : each.hidden };
      const { hidden } = layer;
      Object.assign(layer, each, { hidden });
      if (covers(layer)) {
        layer.hidden = layer.hidden || covered; // one covers the map at a time
        covered = covered || !layer.hidden;
      }
      kept.set(each.name, layer);
    }
    layers = kept;
    paintAreas();
    redraw();
  }

  /** Show what a layer holds now; new points of a live layer are announced. */
  function showPoints(name, content) {
    const layer = layers.get(name);
    if (!layer || !map || content === null) return;
    if (layer.style === "areas") {
      layer.values = content;
      paintAreas();
      return drawLegend();
    }
    const points = layer.style === "heat"
      ? content.map(([lon, lat, weight], i) => ({ key: i, lon, lat, weight, tone: "plain" }))
      : content;
    const had = layer.points.size;
    layer.points = new Map(points.map((point) => [point.key, point]));
    if (layer.moving) {
      cockpit.points.steer(layer, points, TICK_MILLISECONDS);
      return drawLegend();
    }
    layer.flat = cockpit.points.flatten(points);
    const fresh = layer.live && layer.known ? points.filter((point) => !layer.known.has(point.key)) : [];
    layer.known = layer.known || new Set();
    for (const point of points) layer.known.add(point.key);
    if (layer.known.size > points.length + 5000) layer.known = new Set(layer.points.keys());
    // Layers come in any order: without boundaries each one's first points count, until somebody has moved the map.
    const untouched = framedCentre && framedCentre.equals(map.getCenter());
    if (!bounds && (!framed || (!had && untouched))) frame(false);
    if (Boolean(had) !== Boolean(points.length)) paintAreas(); // areas fade under points
    redraw();
    if (fresh.length) announce(fresh, layer);
  }

  const newest = (one, other) => ((one.at || "") < (other.at || "") ? 1 : -1);

  /** Let new points pulse, and show the newest unless somebody is using the map. */
  function announce(points, layer) {
    if (layer.hidden) return;
    document.dispatchEvent(new CustomEvent("cockpit:news"));
    for (const point of points.slice(0, 20)) {
      const sign = element("span", { class: ALERTS[point.tone] ? `mark mark-${point.tone}` : "pin" });
      const icon = L.divIcon({ className: "flag is-new", iconSize: [26, 26], html: sign });
      const flag = L.marker([point.lat, point.lon], { icon, pane: "live", interactive: false, keyboard: false }).addTo(map);
      flag.getElement().style.setProperty("--tone", toneColour(point, layer));
      setTimeout(() => flag.remove(), NEW_MILLISECONDS);
    }
    if (performance.now() - touchedAt < UNTOUCHED_MILLISECONDS) return;
    const [first] = [...points].sort(newest);
    cockpit.card.openPoint(first, layer);
    flyTo(L.latLng(first.lat, first.lon));
    clearTimeout(returning);
    returning = setTimeout(() => {
      if (performance.now() - touchedAt < NEW_MILLISECONDS) return;
      cockpit.card.close();
      frame(true);
    }, NEW_MILLISECONDS);
  }

  function openPoint(point, layer) {
    touch();
    cockpit.card.openPoint(point, layer);
    uncover(L.latLng(point.lat, point.lon));
  }

  /** Go to the place of a list's row or of a found record, and open it when the map knows it. */
  function visit(lat, lon, key, record) {
    touch();
    if (record && key) cockpit.card.open(record, key, !Number.isFinite(lat));
    else {
      const layer = [...layers.values()].find((each) => key && each.points.has(key));
      if (layer) cockpit.card.openPoint(layer.points.get(key), layer);
      else cockpit.card.close();
    }
    if (Number.isFinite(lat) && Number.isFinite(lon)) {
      mark(lat, lon);
      flyTo(L.latLng(lat, lon), 3.2);
    }
  }

  let ring = null;

  /** Put the ring around what is open, or take it away. */
  function mark(lat, lon) {
    if (ring) ring.remove();
    ring = null;
    if (lat === undefined) return;
    const icon = L.divIcon({ className: "focus-ring", iconSize: [44, 44], html: "" });
    ring = L.marker([lat, lon], { icon, pane: "live", interactive: false, keyboard: false }).addTo(map);
  }

  cockpit.map = { groundStyle, areaStyle, eachArea, setPlan, showAreas, setLayers, showPoints, visit, mark, tellPoint, touch, uncover, isIn: (path) => `${area}/`.startsWith(`${path}/`), handle: () => map, layers: () => layers };
})();
