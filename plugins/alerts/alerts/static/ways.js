// What all parts of the page use.
export const ALERTS = "/api/v1/alerts";
export const byId = (id) => document.getElementById(id);

/** Make an element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const { dataset, ...plain } = properties;
  const made = Object.assign(document.createElement(tag), plain);
  Object.assign(made.dataset, dataset ?? {});
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false && each !== ""));
  return made;
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});
/** 11/22 08:30:05, as in Shanghai. */
export const moment = (text) => (text ? CLOCK.format(new Date(text)) : "—");

/** Say a length of time as people do. */
export function length(minutes) {
  const whole = Math.abs(minutes);
  if (whole < 60) return `${Math.round(whole)} 分钟`;
  if (whole < 2880) return `${Math.round(whole / 6) / 10} 小时`;
  return `${Math.round(whole / 144) / 10} 天`;
}

/** Say how far away a limit is. */
export function left(due) {
  const minutes = (new Date(due) - Date.now()) / 60_000;
  return minutes < 0 ? `超 ${length(minutes)}` : `剩 ${length(minutes)}`;
}

/** Say how long ago something was. */
export const ago = (text) => `${length((Date.now() - new Date(text)) / 60_000)}前`;

// The key of the last write that got no answer: sent again it carries the same key, and is done once.
let unanswered = { what: "", key: "" };

/** Send a write, with the version that was seen if it changes a record; returns the answer, throws the problem. */
export async function send(method, address, body, etag) {
  const what = JSON.stringify([method, address, body, etag]);
  const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const key = unanswered.what === what ? unanswered.key : fresh();
  unanswered = { what, key };
  const answer = await qingxu.call(method, address, body, { "Idempotency-Key": key, ...(etag ? { "If-Match": `"${etag}"` } : {}) });
  unanswered = { what: "", key: "" };
  return answer;
}

/** Let the words of `choices` be put into a field with a click. */
export function chips(place, choices, field) {
  place.replaceChildren(...choices.map((words) => {
    const chip = make("button", { type: "button", className: "chip" }, words);
    chip.addEventListener("click", () => { field.value = words; field.focus(); });
    return chip;
  }));
}

/** Open a dialog; `done` is called when it is sent, and what it throws is shown. */
export function asking(dialog, done) {
  const form = dialog.querySelector("form");
  const message = dialog.querySelector(".message");
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    message.textContent = "";
    form.classList.add("busy");
    try {
      await done();
      dialog.close();
    } catch (problem) {
      qingxu.show(message, problem);
    }
    form.classList.remove("busy");
  });
  return () => { message.textContent = ""; dialog.showModal(); };
}
