// The pictures of the open case: masked ones, with what was found on them; the original for whoever says why.
import { isWaste } from "./facts.js";
import { told } from "./saying.js";
import { byId, dialog, instant, make } from "/static/accounts/ways.js";

const UNMASKED_SECONDS = 120;

export function stage(page, { chosen, showing, drawn }) {
  const picture = byId("picture");
  const frame = picture.querySelector(".frame");
  const image = frame.querySelector("img");
  const marks = byId("marks");
  const before = byId("before");
  const strip = byId("strip");
  const mayUnmask = page.hasAttribute("data-unmask");
  let found = null;
  let all = []; // {capture, photo} of every photo of the case
  let at = 0;
  let covering = 0;
  let box = null; // the box that is being drawn, in shares: [left, top, right, bottom]

  function show(shown, keep) {
    found = shown;
    all = found.captures.flatMap((capture) => capture.photos.map((photo) => ({ capture, photo })));
    // What happened stands before how it was before.
    const first = all.findIndex((each) => !each.photo.before);
    to(keep && at < all.length ? at : Math.max(first, 0));
  }

  function to(index) {
    at = index;
    stopDrawing();
    cover();
    const shown = all[at];
    byId("unmask").hidden = !(mayUnmask && shown?.photo.original);
    byId("draw").hidden = !(found.state === "waiting" && page.hasAttribute("data-review") && shown?.photo.masked);
    const earlier = shown && !shown.photo.before && shown.capture.photos.find((each) => each.before && each.masked);
    before.hidden = !earlier;
    if (earlier) {
      before.querySelector("img").src = earlier.masked;
      before.photo = earlier;
    }
    strip.hidden = all.length < 2;
    strip.replaceChildren(...all.map(thumbnail));
    strip.children[at]?.scrollIntoView({ block: "nearest", inline: "nearest" });
    showing(shown);
    fit();
  }

  function thumbnail({ capture, photo }, index) {
    const words = `第 ${index + 1} 张，${instant(capture.device_time)}${photo.before ? "，事发前" : ""}`;
    const content = photo.thumbnail ? make("img", { src: photo.thumbnail, alt: words }) : make("span", {}, "无图");
    const button = make("button", { type: "button", title: words }, content, photo.before && make("i", { className: "tag" }, "前"));
    button.setAttribute("role", "option");
    button.setAttribute("aria-selected", String(index === at));
    button.addEventListener("click", () => to(index));
    return button;
  }

  /** Show the masked copy again, whatever was seen before. */
  function cover() {
    clearTimeout(covering);
    covering = 0;
    const shown = all[at];
    picture.classList.remove("unmasked");
    image.hidden = !shown?.photo.masked;
    if (shown?.photo.masked) image.src = shown.photo.masked;
    else image.removeAttribute("src");
    image.alt = shown ? `${found.violation_title}，${found.point_name}（已脱敏）` : "";
    caption();
  }

  function caption() {
    const shown = all[at];
    const words = !shown ? "本案没有照片。" : [
      `${at + 1} / ${all.length}`, instant(shown.capture.device_time),
      shown.capture.device_name || shown.capture.source_title,
      shown.photo.frame_at !== null && shown.photo.frame_at !== undefined && `视频第 ${shown.photo.frame_at.toFixed(1)} 秒`,
      shown.photo.before && "事发前",
      picture.classList.contains("unmasked") ? "未脱敏，查看已留痕" : shown.photo.masked ? "已脱敏" : "尚未生成脱敏图",
    ].filter(Boolean).join(" · ");
    picture.querySelector("figcaption").textContent = words;
    paint();
  }

  function paint() {
    const exhibits = all[at]?.photo.exhibits ?? [];
    const faces = exhibits.filter((each) => each.kind === "face");
    const shown = box ? [] : [...exhibits.filter(isWaste), ...faces];
    marks.replaceChildren(...shown.map((each) => {
      const isFace = each.kind === "face";
      const words = isFace ? String(faces.indexOf(each) + 1) : each.label || "物品";
      const picked = [found.subject, found.waste].includes(each.id);
      const mark = make("button", { type: "button", className: `mark ${isFace ? "face" : "object"}${picked ? " picked" : ""}`, tabIndex: -1,
        title: isFace ? `人脸 ${words}${picked ? "，已选定为当事人" : ""}` : `${words}${picked ? "，已选定" : ""}` }, make("span", {}, words));
      put(mark, each.box);
      mark.addEventListener("click", () => chosen(each));
      return mark;
    }));
    if (box) {
      const mark = make("div", { className: "mark drawing" });
      put(mark, box);
      marks.append(mark);
    }
  }

  function put(mark, [left, top, right, bottom]) {
    Object.assign(mark.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
  }

  /** Give each picture the largest size that it may have in its place. */
  function fit() {
    for (const [figure, photo] of [[picture, all[at]?.photo], [before, before.photo]]) {
      if (figure.hidden || !photo) continue;
      const place = figure.querySelector(".frame");
      const [width, height] = [figure.clientWidth, figure.clientHeight - figure.querySelector("figcaption").offsetHeight];
      if (width <= 0) continue;
      const zoom = figure === picture && byId("enlarge").getAttribute("aria-pressed") === "true" ? 2.2 : 1;
      const scale = Math.min(width / photo.width, innerWidth > 832 ? height / photo.height : Infinity) * zoom;
      Object.assign(place.style, { width: `${photo.width * scale}px`, height: `${photo.height * scale}px` });
    }
  }
  new ResizeObserver(fit).observe(byId("pictures"));

  /** Ask why, and show the original; what is seen is recorded with the purpose. */
  function unmask() {
    if (byId("unmask").hidden) return;
    if (picture.classList.contains("unmasked")) {
      cover();
      return;
    }
    dialog(byId("purpose-dialog"), async () => {
      const shown = all[at];
      const content = await original(`${shown.photo.original}?purpose=${encodeURIComponent(byId("purpose").value.trim())}`);
      if (shown !== all[at]) return;
      image.src = content;
      image.hidden = false;
      image.alt = "未脱敏的原图";
      picture.classList.add("unmasked");
      covering = setTimeout(cover, UNMASKED_SECONDS * 1000);
      caption();
    });
  }

  async function original(address) {
    let answer;
    try {
      answer = await fetch(address, { credentials: "same-origin", cache: "no-store" });
    } catch {
      throw { detail: "网络中断，请稍后重试。" };
    }
    if (!answer.ok) throw await answer.json().catch(() => ({ detail: "原图暂时无法打开，请稍后重试。" }));
    const blob = await answer.blob();
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject({ detail: "原图无法读取。" });
      reader.readAsDataURL(blob);
    });
  }

  function draw() {
    if (byId("draw").hidden) return;
    if (box) {
      name();
      return;
    }
    cover();
    box = [0.35, 0.35, 0.65, 0.65];
    picture.classList.add("is-drawing");
    told("在照片上拖出方框，或用方向键移动、Shift + 方向键改变大小；按 D 或 Enter 确定，Esc 取消。");
    paint();
    frame.tabIndex = 0;
    frame.focus({ preventScroll: true });
  }

  function stopDrawing() {
    const was = Boolean(box);
    box = null;
    picture.classList.remove("is-drawing");
    frame.removeAttribute("tabindex");
    if (was) paint();
    return was;
  }

  function name() {
    dialog(byId("region-dialog"), async () => {
      const region = { photo: all[at].photo.number, box, kind: byId("region-kind").value, note: byId("region-note").value.trim() };
      await drawn(region);
      byId("region-note").value = "";
      stopDrawing();
    });
  }

  frame.addEventListener("keydown", (event) => {
    if (!box) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter") name();
    else if (move) {
      const [x, y] = move.map((each) => each * 0.02);
      const [left, top, right, bottom] = box;
      const moved = event.shiftKey ? [left, top, right + x, bottom + y] : [left + x, top + y, right + x, bottom + y];
      if (moved.every((each) => each >= 0 && each <= 1) && moved[2] - moved[0] > 0.01 && moved[3] - moved[1] > 0.01) box = moved;
      paint();
    } else return;
    event.preventDefault();
  });

  // Dragging, with mouse, pen or finger.
  let start = null;
  const share = (event) => {
    const place = frame.getBoundingClientRect();
    const within = (value) => Math.min(Math.max(value, 0), 1);
    return [within((event.clientX - place.left) / place.width), within((event.clientY - place.top) / place.height)];
  };
  frame.addEventListener("pointerdown", (event) => {
    if (!box) return;
    start = share(event);
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = share(event);
    box = [Math.min(start[0], end[0]), Math.min(start[1], end[1]), Math.max(start[0], end[0]), Math.max(start[1], end[1])];
    paint();
  });
  frame.addEventListener("pointerup", () => {
    if (!start) return;
    start = null;
    if (box[2] - box[0] > 0.01 && box[3] - box[1] > 0.01) name();
  });

  function enlarge() {
    const button = byId("enlarge");
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    fit();
  }

  byId("unmask").addEventListener("click", unmask);
  byId("draw").addEventListener("click", draw);
  byId("enlarge").addEventListener("click", enlarge);

  return {
    show,
    unmask,
    draw,
    enlarge,
    step: (by) => all[at + by] && to(at + by),
    /** Take the next object as the waste, after the last one none. */
    waste() {
      const objects = all[at]?.photo.exhibits.filter(isWaste) ?? [];
      const now = objects.findIndex((each) => each.id === found.waste);
      const next = objects[now + 1] ?? objects[now];
      if (next) chosen(next);
    },
    face(number) {
      const face = all[at]?.photo.exhibits.filter((each) => each.kind === "face")[number - 1];
      if (face) chosen(face);
    },
    /** End drawing, or cover the original; says whether there was something to end. */
    calm() {
      if (stopDrawing()) return true;
      if (!picture.classList.contains("unmasked")) return false;
      cover();
      return true;
    },
  };
}
