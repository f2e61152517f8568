// What the scripts of all pages share: elements, times as people write them, writes that are never done twice, dialogs.

export const byId = (id) => document.getElementById(id);

/** Make an element with properties and children; `condition && child` may be handed over as it is. */
export function make(tag, properties = {}, ...children) {
  const { dataset, ...plain } = properties;
  const made = Object.assign(document.createElement(tag), plain);
  Object.assign(made.dataset, dataset);
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false && each !== ""));
  return made;
}

const CLOCK = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

/** 11-22, as in Shanghai; with its year if that is not the present one. */
export function day(text) {
  const date = CLOCK.format(new Date(text)).slice(0, 10);
  return date.slice(0, 4) === CLOCK.format(new Date()).slice(0, 4) ? date.slice(5) : date;
}

/** 08:30:05, as in Shanghai. */
export const clock = (text) => CLOCK.format(new Date(text)).slice(11);

/** 11-22 08:30. */
export const moment = (text) => (text ? `${day(text)} ${clock(text).slice(0, 5)}` : "—");

/** 11-22 08:30:05: where evidence or a camera says the second. */
export const instant = (text) => (text ? `${day(text)} ${clock(text)}` : "—");

/** Say a length of time as people do. */
export function length(minutes) {
  const whole = Math.abs(minutes);
  if (whole < 60) return `${Math.round(whole)} 分钟`;
  if (whole < 2880) return `${Math.round(whole / 6) / 10} 小时`;
  return `${Math.round(whole / 144) / 10} 天`;
}

/** Say how far away a limit is. */
export function left(due) {
  if (!due) return "";
  const minutes = (new Date(due) - Date.now()) / 60_000;
  return minutes < 0 ? `超 ${length(minutes)}` : `剩 ${length(minutes)}`;
}

/** Say how long ago something was. */
export function ago(text) {
  const minutes = (Date.now() - new Date(text)) / 60_000;
  return minutes < 1 ? "刚刚" : `${length(minutes)}前`;
}

/** Say a distance as people do. */
export const metres = (number) => (number < 1000 ? `${Math.round(number)} 米` : `${(number / 1000).toFixed(1)} 公里`);

/** Ask the phone where it is; throws what is to be said when it does not tell. */
export function locate() {
  return new Promise((found, failed) => {
    if (!navigator.geolocation) return failed({ detail: "这台设备不能定位。" });
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => found({ longitude: coords.longitude, latitude: coords.latitude, accuracy: coords.accuracy }),
      () => failed({ detail: "无法定位，请在手机设置中允许定位后重试。" }),
      { enableHighAccuracy: true, timeout: 8000 },
    );
  });
}

const UNCERTAIN = "网络中断，尚未确认是否提交成功。内容已保留，请恢复网络后再次提交，不会重复办理。";
const LOGGED_OUT = "登录已失效。内容已保留，请在新窗口登录后回到本页再次提交。";
// The key of the last write that got no answer: the same write sent again carries the same key, and is done once.
let unanswered = { what: "", key: "" };

// Not crypto.randomUUID: pages of a plain intranet address have none.
const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const told = (body) => (body instanceof FormData ? [...body].map(([name, value]) => [name, value.name ?? value, value.size]) : body);

/** Send a write, JSON or a form, in the version that was seen if it changes a record; returns the answer, throws the problem. */
export async function send(method, address, body, etag) {
  const what = JSON.stringify([method, address, told(body), etag]);
  const key = unanswered.what === what ? unanswered.key : fresh();
  unanswered = { what, key };
  try {
    const answer = await qingxu.call(method, address, body, { "Idempotency-Key": key, ...(etag ? { "If-Match": `"${etag}"` } : {}) });
    unanswered = { what: "", key: "" };
    return answer;
  } catch (problem) {
    if (problem.code === "offline") problem.detail = UNCERTAIN;
    if (problem.code === "login_required") problem.detail = LOGGED_OUT;
    throw problem;
  }
}

/** Open a dialog whose form does `act`; it closes when that went well, and says what is wrong when not. */
export function dialog(box, act) {
  const form = box.querySelector("form");
  const message = form.querySelector(".message");
  message.textContent = "";
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    message.textContent = "";
    try {
      await act(form);
      box.close();
    } catch (problem) {
      qingxu.show(message, problem);
    }
    button.disabled = false;
  };
  box.querySelector("[data-close]").onclick = () => box.close();
  box.showModal();
  form.querySelector("input, select, textarea, [type=submit]").focus();
}

/** Let the words of `choices` be put into a field with a click. */
export function chips(place, choices, field) {
  place.replaceChildren(...choices.map((words) => {
    const chip = make("button", { type: "button", className: "chip" }, words);
    chip.addEventListener("click", () => { field.value = words; field.focus(); });
    return chip;
  }));
}

/** Show photos small, with a word below if they have one; one opens large in `box`. */
export function thumbs(place, photos, box) {
  place.hidden = !photos.length;
  place.replaceChildren(...photos.map(({ address, words }, index) => {
    const image = make("img", { src: address, alt: `照片 ${index + 1}`, loading: "lazy" });
    const button = make("button", { type: "button", className: "thumb" }, image, words && make("i", {}, words));
    button.addEventListener("click", () => {
      box.querySelector("img").src = address;
      box.showModal();
    });
    return button;
  }));
}

/** Show what was chosen in a file field, below it. */
export function preview(field) {
  field.addEventListener("change", () => {
    const box = field.parentElement.querySelector("b");
    box.replaceChildren();
    for (const file of field.files) {
      const reader = new FileReader();
      reader.addEventListener("load", () => box.append(make("img", { src: reader.result, alt: "" })));
      reader.readAsDataURL(file);
    }
  });
}
