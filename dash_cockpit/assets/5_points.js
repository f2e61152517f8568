/* What is drawn on canvases over the map: points gathered into clusters, moving things, heat; and what lies where. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const REACH = 42; // pixels within which points gather
  const FEWEST = 4; // fewer stand by themselves, unless they cover each other
  const COVERED = 11; // pixels
  const FRAME_MILLISECONDS = 40;
  const MOST_PIXELS = 8e6; // of one canvas: on walls of 4K and more a little sharpness is given for memory
  const FARTHEST_GLIDE = 600; // metres; what jumps farther was not seen on its way
  const ALERTS = ["critical", "major", "minor", "hint"];
  // The worst first; a cluster takes the colour of the worst in it.
  const WORST = [...ALERTS, "hazardous", "off", "residual", "food", "recyclable", "good", "plain"];
  const rank = (tone) => WORST.length - WORST.indexOf(tone);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const colours = new Map();
  const toneColour = (tone, layer) => {
    if (tone === "plain") return layer.colour;
    if (!colours.has(tone)) colours.set(tone, css(`--tone-${tone}`));
    return colours.get(tone);
  };

  let map = null;
  let layers = []; // of the map, in the order of the legend
  let drawn = []; // what the points canvas shows now: { x, y, r, members }
  let gathered = { key: "", items: [] };
  let version = 0;
  let moving = null;
  let surfaces = null;

  /** A canvas in a pane, as large as the map and a bit more; `paint` draws in layer pixels. */
  const Surface = L.Renderer.extend({
    initialize(paint, options) {
      this._paint = paint;
      L.Renderer.prototype.initialize.call(this, options);
    },
    _initContainer() {
      this._container = document.createElement("canvas");
      this._container.className = "surface";
      this._brush = this._container.getContext("2d", { willReadFrequently: Boolean(this.options.read) });
    },
    _destroyContainer() {
      this._container.remove();
      this._container = null;
    },
    _updatePaths() {},
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize();
      const stage = this._map.getContainer();
      const scale = (stage.getBoundingClientRect().width / stage.offsetWidth || 1) * devicePixelRatio * (this.options.fineness || 1);
      this._ratio = Math.min(scale, Math.sqrt(MOST_PIXELS / (size.x * size.y)));
      const [width, height] = [Math.round(size.x * this._ratio), Math.round(size.y * this._ratio)];
      const canvas = this._container;
      if (canvas.width !== width || canvas.height !== height) {
        [canvas.width, canvas.height] = [width, height];
        canvas.style.width = `${size.x}px`;
        canvas.style.height = `${size.y}px`;
      }
      L.DomUtil.setPosition(canvas, this._bounds.min);
      this.draw();
    },
    draw() {
      if (!this._bounds || !this._map) return;
      const brush = this._brush;
      const { min } = this._bounds;
      brush.setTransform(1, 0, 0, 1, 0, 0);
      brush.clearRect(0, 0, this._container.width, this._container.height);
      brush.setTransform(this._ratio, 0, 0, this._ratio, -min.x * this._ratio, -min.y * this._ratio);
      this._paint(brush, this._bounds, this._ratio, this._container);
    },
  });

  // --- Points --------------------------------------------------------------------------------------------------

  /** Where a point lies in the world of zoom 0; scaled, it is its place at any zoom. */
  function flatten(points) {
    return points.map((point) => {
      const at = L.CRS.EPSG3857.latLngToPoint(L.latLng(point.lat, point.lon), 0);
      return { point, x: at.x, y: at.y };
    });
  }

  /** Gather what lies within reach of the first of them that is not taken yet. */
  function gather(members, reach) {
    const cells = new Map();
    const cell = (x, y) => `${Math.floor(x / reach)} ${Math.floor(y / reach)}`;
    for (const each of members) {
      const key = cell(each.x, each.y);
      const there = cells.get(key);
      if (there) there.push(each); else cells.set(key, [each]);
    }
    const taken = new Set();
    const items = [];
    for (const seed of members) {
      if (taken.has(seed)) continue;
      const group = [];
      for (const dx of [-reach, 0, reach]) {
        for (const dy of [-reach, 0, reach]) {
          const key = cell(seed.x + dx, seed.y + dy);
          const rest = [];
          for (const each of cells.get(key) || []) {
            if (Math.hypot(each.x - seed.x, each.y - seed.y) <= reach) { group.push(each); taken.add(each); }
            else rest.push(each);
          }
          cells.set(key, rest);
        }
      }
      items.push(group);
    }
    return items;
  }

  /** Whether these are few enough, and far enough from one another, to be seen each by itself. */
  function apart(group, distance) {
    return group.length < FEWEST && group.every((one, i) => group.slice(i + 1).every((other) => Math.hypot(one.x - other.x, one.y - other.y) > distance));
  }

  function summed(group) {
    let worst = group[0];
    let [x, y] = [0, 0];
    for (const each of group) {
      x += each.x;
      y += each.y;
      if (rank(each.point.tone) > rank(worst.point.tone)) worst = each;
    }
    return { wx: x / group.length, wy: y / group.length, members: group, tone: worst.point.tone, layer: worst.layer };
  }

  /** All that is to be drawn at a zoom; worked out anew only when zoom or points change. */
  function itemsAt(zoom) {
    const step = Math.round(zoom * 2) / 2;
    const key = `${step} ${version}`;
    if (gathered.key === key) return gathered.items;
    const [near, alone] = [[], []];
    for (const layer of layers) {
      if (layer.hidden || layer.moving || !layer.flat || !["points", "clusters"].includes(layer.style)) continue;
      for (const each of layer.flat) {
        each.layer = layer;
        (layer.style === "clusters" ? near : alone).push(each);
      }
    }
    const scale = 2 ** step;
    const items = gather(near, REACH / scale).flatMap((group) => (apart(group, COVERED / scale) ? group.map((each) => summed([each])) : [summed(group)]));
    for (const each of alone) items.push(summed([each]));
    items.sort((one, other) => rank(one.tone) - rank(other.tone)); // the worst on top
    gathered = { key, items };
    return items;
  }

  const marks = new Map();
  function mark(tone) {
    if (!marks.has(tone)) {
      const picture = new Image();
      picture.onload = () => surfaces && surfaces.points.draw();
      picture.src = css(`--mark-${tone}`).replace(/^url\("?|"?\)$/g, "");
      marks.set(tone, picture);
    }
    return marks.get(tone);
  }

  const dotRadius = () => Math.max(4, Math.min(8.5, 4.6 + (map.getZoom() - 12) * 1.0));
  const clusterRadius = (count) => Math.min(30, 11.5 + 3.1 * Math.log2(count));
  const countText = (count) => (count < 10000 ? String(count) : `${(count / 10000).toFixed(1)}万`);

  function inkOn(colour) {
    const value = parseInt(colour.slice(1), 16);
    return 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255) > 120 ? "#04122c" : "#ffffff";
  }

  function paintPoints(brush, bounds) {
    const scale = 2 ** map.getZoom();
    const origin = map.getPixelOrigin();
    const size = dotRadius();
    drawn = [];
    for (const item of itemsAt(map.getZoom())) {
      const [x, y] = [item.wx * scale - origin.x, item.wy * scale - origin.y];
      if (x < bounds.min.x - 40 || x > bounds.max.x + 40 || y < bounds.min.y - 40 || y > bounds.max.y + 40) continue;
      const many = item.members.length > 1;
      const r = many ? clusterRadius(item.members.length) : ALERTS.includes(item.tone) ? 12 : size;
      drawn.push({ x, y, r, item });
      if (many) paintCluster(brush, x, y, r, item);
      else paintPoint(brush, x, y, r, item);
    }
  }

  function paintCluster(brush, x, y, r, item) {
    const colour = toneColour(item.tone, item.layer);
    brush.globalAlpha = 0.26;
    disc(brush, x, y, r + 4.5, colour);
    brush.globalAlpha = 0.94;
    disc(brush, x, y, r, colour, "rgba(4, 18, 44, .85)", 1.5);
    brush.globalAlpha = 1;
    brush.fillStyle = inkOn(colour);
    brush.font = `700 ${r > 20 ? 16 : 14}px ${css("--font")}`;
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.fillText(countText(item.members.length), x, y + 1);
    // An alert is told by its shape as well.
    if (ALERTS.includes(item.tone)) picture(brush, item.tone, x + r * 0.72, y - r * 0.72, 16);
  }

  function paintPoint(brush, x, y, r, item) {
    if (ALERTS.includes(item.tone)) return picture(brush, item.tone, x, y, 24);
    const colour = toneColour(item.tone, item.layer);
    if (item.layer.live) return disc(brush, x, y, Math.max(r, 7), colour, "#ffffff", 2.4);
    disc(brush, x, y, r, colour, "rgba(4, 18, 44, .9)", 1.3);
  }

  function disc(brush, x, y, r, fill, stroke, width) {
    brush.beginPath();
    brush.arc(x, y, r, 0, 2 * Math.PI);
    brush.fillStyle = fill;
    brush.fill();
    if (!stroke) return;
    brush.strokeStyle = stroke;
    brush.lineWidth = width;
    brush.stroke();
  }

  function picture(brush, tone, x, y, size) {
    const image = mark(tone);
    if (!image.complete || !image.naturalWidth) return;
    brush.shadowColor = "rgba(0, 0, 0, .8)";
    brush.shadowBlur = 4;
    brush.drawImage(image, x - size / 2, y - size / 2, size, size);
    brush.shadowBlur = 0;
  }

  // --- Moving things -------------------------------------------------------------------------------------------

  /** Let things glide from where they are drawn now to where they are said to be, until the next tick. */
  function steer(layer, points, milliseconds) {
    const now = performance.now();
    const before = layer.movers || new Map();
    layer.movers = new Map();
    for (const { point, x, y } of flatten(points)) {
      const mover = before.get(point.key);
      const from = mover && whereIs(mover, now);
      const jump = !mover || still.matches || map.distance([mover.point.lat, mover.point.lon], [point.lat, point.lon]) > FARTHEST_GLIDE;
      const heading = point.heading === undefined ? null : point.heading;
      layer.movers.set(point.key, {
        point, layer, x, y, heading,
        from: jump ? { x, y, heading } : from,
        began: now, lasts: jump ? 0 : milliseconds,
      });
    }
    glide();
  }

  function whereIs({ from, x, y, heading, began, lasts }, now) {
    const share = lasts ? Math.min(1, (now - began) / lasts) : 1;
    const turn = heading === null || from.heading === null ? 0 : ((heading - from.heading + 540) % 360) - 180;
    return { x: from.x + (x - from.x) * share, y: from.y + (y - from.y) * share, heading: heading === null ? null : heading - turn * (1 - share), share };
  }

  function glide() {
    if (moving || !surfaces) return;
    let [last, before] = [0, 0];
    const step = (now) => {
      // Where frames come slowly, as without a graphics card, fewer are asked for: gliding must leave time for the rest.
      const pause = Math.max(FRAME_MILLISECONDS, before ? Math.min(1000, 4 * (now - before)) : 0);
      before = now;
      const movers = layers.filter((layer) => layer.movers && !layer.hidden).flatMap((layer) => [...layer.movers.values()]);
      if (now - last >= pause) {
        last = now;
        surfaces.moving.draw();
      }
      const under = movers.some((each) => each.lasts && performance.now() - each.began < each.lasts + 60);
      moving = under ? requestAnimationFrame(step) : null;
    };
    moving = requestAnimationFrame(step);
  }

  function paintMoving(brush, bounds) {
    const now = performance.now();
    const scale = 2 ** map.getZoom();
    const origin = map.getPixelOrigin();
    for (const layer of layers) {
      if (layer.hidden || !layer.movers) continue;
      for (const mover of layer.movers.values()) {
        const at = whereIs(mover, now);
        const [x, y] = [at.x * scale - origin.x, at.y * scale - origin.y];
        mover.drawn = { x, y };
        if (!bounds.contains([x, y])) continue;
        const colour = toneColour(mover.point.tone, layer);
        if (at.heading === null) { disc(brush, x, y, 6, colour, "#ffffff", 1.8); continue; }
        brush.save();
        brush.translate(x, y);
        brush.rotate((at.heading * Math.PI) / 180);
        brush.beginPath();
        brush.moveTo(0, -10);
        brush.lineTo(7, 8);
        brush.lineTo(0, 4.5);
        brush.lineTo(-7, 8);
        brush.closePath();
        brush.fillStyle = colour;
        brush.strokeStyle = "#04122c";
        brush.lineWidth = 2.6;
        brush.stroke();
        brush.fill();
        brush.restore();
      }
    }
  }

  // --- Heat ----------------------------------------------------------------------------------------------------

  const HEAT = [[0, 20, 70, 190], [0.35, 30, 190, 230], [0.6, 90, 230, 150], [0.8, 255, 214, 90], [1, 255, 84, 60]];
  let ramp = null;

  function heatRamp() {
    if (ramp) return ramp;
    ramp = new Uint8ClampedArray(256 * 3);
    for (let i = 0; i < 256; i += 1) {
      const at = i / 255;
      const high = Math.max(1, HEAT.findIndex(([stop]) => stop >= at));
      const [low, top] = [HEAT[high - 1], HEAT[high]];
      const share = (at - low[0]) / (top[0] - low[0]);
      for (let c = 0; c < 3; c += 1) ramp[i * 3 + c] = low[c + 1] + (top[c + 1] - low[c + 1]) * share;
    }
    return ramp;
  }

  function paintHeat(brush, bounds, ratio, canvas) {
    const layer = layers.find((each) => each.style === "heat" && !each.hidden && each.flat);
    if (!layer) return;
    const scale = 2 ** map.getZoom();
    const origin = map.getPixelOrigin();
    const reach = Math.max(20, Math.min(48, 26 + (map.getZoom() - 12) * 6));
    const [places, sums] = [[], new Map()];
    for (const each of layer.flat) {
      const [x, y] = [each.x * scale - origin.x, each.y * scale - origin.y];
      if (!bounds.contains([x, y])) continue;
      places.push([x, y, each.point.weight]);
      const key = `${Math.round(x / reach)} ${Math.round(y / reach)}`;
      sums.set(key, (sums.get(key) || 0) + each.point.weight);
    }
    if (!places.length) return;
    // What is hot is told by the densest places in sight, so that every zoom shows a picture.
    const dense = [...sums.values()].sort((one, other) => one - other);
    const most = Math.max(1, dense[Math.floor(dense.length * 0.95)]);
    for (const [x, y, weight] of places) {
      brush.globalAlpha = Math.min(1, Math.max(0.04, weight / most));
      const blob = brush.createRadialGradient(x, y, 0, x, y, reach);
      blob.addColorStop(0, "rgba(0,0,0,.9)");
      blob.addColorStop(1, "rgba(0,0,0,0)");
      brush.fillStyle = blob;
      brush.fillRect(x - reach, y - reach, 2 * reach, 2 * reach);
    }
    brush.globalAlpha = 1;
    const image = brush.getImageData(0, 0, canvas.width, canvas.height);
    const { data } = image;
    const colour = heatRamp();
    for (let i = 3; i < data.length; i += 4) {
      const alpha = data[i];
      if (!alpha) continue;
      data[i - 3] = colour[alpha * 3];
      data[i - 2] = colour[alpha * 3 + 1];
      data[i - 1] = colour[alpha * 3 + 2];
      data[i] = Math.min(205, alpha * 1.5);
    }
    brush.putImageData(image, 0, 0);
  }

  // --- Pointer -------------------------------------------------------------------------------------------------

  /** What lies under a place of the map: { item } for points, { mover } for moving things, or null. */
  function at(latLng) {
    const { x, y } = map.latLngToLayerPoint(latLng);
    for (const layer of layers) {
      if (layer.hidden || !layer.movers) continue;
      for (const mover of layer.movers.values()) {
        if (mover.drawn && Math.hypot(mover.drawn.x - x, mover.drawn.y - y) <= 11) return { mover, ...mover.drawn };
      }
    }
    for (let i = drawn.length - 1; i >= 0; i -= 1) {
      const each = drawn[i];
      if (Math.hypot(each.x - x, each.y - y) <= each.r + 3) return each;
    }
    return null;
  }

  const onName = ({ originalEvent }) => Boolean(originalEvent && originalEvent.target.closest(".area-name"));

  function hint(found) {
    if (found.mover) return `${found.mover.point.kind}　${found.mover.point.label}`;
    const { members } = found.item;
    if (members.length === 1) return `${members[0].point.kind}　${members[0].point.label}`;
    const counts = new Map();
    for (const { layer } of members) counts.set(layer.title, (counts.get(layer.title) || 0) + 1);
    return [...counts].map(([title, count]) => `${title} ${count}`).join("　");
  }

  /** Take a map; `open(point, layer)` and `zoomTo(members)` say what a click does. */
  function attach(given, { open, zoomTo }) {
    map = given;
    surfaces = {
      heat: new Surface(paintHeat, { pane: "heat", padding: 0.1, fineness: 0.5, read: true }),
      points: new Surface(paintPoints, { pane: "points", padding: 0.12 }),
      moving: new Surface(paintMoving, { pane: "moving", padding: 0.1 }),
    };
    for (const surface of Object.values(surfaces)) surface.addTo(map);
    // While the map flies it draws every frame anew: what is only stretched would swell and shrink.
    map.on("zoom", () => map._flyToFrame && (surfaces.points._update(), surfaces.moving._update()));
    const name = L.tooltip({ direction: "top", className: "point-name", offset: [0, -10] });
    let asked = 0;
    map.on("mousemove", (event) => {
      if (performance.now() - asked < 30) return;
      asked = performance.now();
      const found = at(event.latlng);
      map.getContainer().classList.toggle("on-point", Boolean(found));
      if (!found) return name.remove();
      const text = document.createElement("span");
      text.textContent = hint(found);
      name.setContent(text).setLatLng(map.layerPointToLatLng([found.x, found.y])).addTo(map);
    });
    map.on("mouseout movestart", () => name.remove());
    map.on("click", (event) => {
      const found = !onName(event) && at(event.latlng);
      if (!found) return;
      name.remove();
      if (found.mover) return open(found.mover.point, found.mover.layer);
      const { members } = found.item;
      if (members.length === 1) return open(members[0].point, members[0].layer);
      zoomTo(members);
    });
  }

  /** Draw these layers; called whenever one comes, goes, is hidden or has new points. */
  function show(given) {
    layers = given;
    version += 1;
    if (surfaces) for (const surface of Object.values(surfaces)) surface.draw();
  }

  cockpit.points = { attach, show, steer, flatten, at, onName, still: () => still.matches, drawn: () => drawn, toneColour };
})();
