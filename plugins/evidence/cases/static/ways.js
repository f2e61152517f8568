// What all parts of the page use: elements, messages, and writes that can be repeated without being done twice.

export const byId = (id) => document.getElementById(id);

/** Make an element; `children` are elements or texts. */
export function make(tag, options = {}, ...children) {
  const { dataset, ...rest } = options;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, dataset);
  // What is not there is left out: `condition && part` may be handed over as it is.
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

/** Show a sentence over the pictures for a while; a warning stays until the next one. */
let silence = 0;
export function told(sentence, warning = false) {
  const place = byId("opened").hidden ? byId("queue-message") : byId("banner");
  clearTimeout(silence);
  place.textContent = sentence;
  place.hidden = !sentence;
  place.classList.toggle("warning", warning);
  if (!warning) silence = setTimeout(() => { place.hidden = true; place.textContent = ""; }, 4000);
}

// The key of the last write that got no answer: the same write sent again carries the same key, and is done once.
let unanswered = { what: "", key: "" };

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Send a write for a record in the version that was seen; returns the answer, throws the problem. */
export async function send(method, address, body, etag) {
  const what = JSON.stringify([method, address, body, etag]);
  const key = unanswered.what === what ? unanswered.key : newKey();
  unanswered = { what, key };
  try {
    const answer = await qingxu.call(method, address, body, { "If-Match": `"${etag}"`, "Idempotency-Key": key });
    unanswered = { what: "", key: "" };
    return answer;
  } catch (problem) {
    if (problem.code === "offline") problem.detail = "网络中断，尚未确认是否提交成功。内容已保留，请恢复网络后再次提交，不会重复办理。";
    if (problem.code === "login_required") problem.detail = "登录已失效。内容已保留，请在新窗口登录后回到本页再次提交。";
    throw problem;
  }
}

/** Open a dialog whose form does `act`; it closes when that went well, and says what is wrong when not. */
export function dialog(id, act) {
  const box = byId(id);
  const form = box.querySelector("form");
  const message = form.querySelector(".message");
  message.textContent = "";
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      await act(form);
      box.close();
    } catch (problem) {
      qingxu.show(message, problem);
    }
    button.disabled = false;
  };
  form.querySelector("[data-close]").onclick = () => box.close();
  box.showModal();
  form.querySelector("input, select, textarea, [type=submit]").focus();
}

const ZONE = { timeZone: "Asia/Shanghai", hour12: false };
const DAY = new Intl.DateTimeFormat("zh-CN", { ...ZONE, month: "2-digit", day: "2-digit" });
const CLOCK = new Intl.DateTimeFormat("zh-CN", { ...ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** 11-22 08:30:05, as in Shanghai. */
export function moment(text) {
  const at = new Date(text);
  return `${DAY.format(at).replace("/", "-")} ${CLOCK.format(at)}`;
}

/** How long ago, roughly. */
export function age(text) {
  const minutes = Math.max(0, Math.round((Date.now() - new Date(text)) / 60_000));
  if (minutes < 1) return "刚刚";
  if (minutes < 60) return `${minutes} 分钟前`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} 小时前`;
  return `${Math.floor(minutes / 1440)} 天前`;
}
