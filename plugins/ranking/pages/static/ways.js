// Small ways that all parts of the page share.
export const CHARGES = "/api/v1/assessment-charges";
export const APPEALS = "/api/v1/assessment-appeals";
export const STATEMENTS = "/api/v1/assessment-statements";
export const byId = (id) => document.getElementById(id);

/** Make an element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const { dataset, ...plain } = properties;
  const made = Object.assign(document.createElement(tag), plain);
  Object.assign(made.dataset, dataset ?? {});
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false,
});
const MONTH = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit" });
export const moment = (text) => (text ? CLOCK.format(new Date(text)).replaceAll("/", "-") : "—");
export const monthOf = (text) => MONTH.format(new Date(text)).slice(0, 7);
export const signed = (points) => (points > 0 ? `+${points}` : points < 0 ? `−${-points}` : "0");
export const tone = (points) => (points < 0 ? "bad" : points > 0 ? "good" : "quiet");

/** Send a form with photos; throws the problem's JSON. */
export async function send(address, body, key) {
  let answer;
  try {
    answer = await fetch(address, { method: "POST", credentials: "same-origin", headers: { "Idempotency-Key": key }, body });
  } catch {
    throw { code: "offline", detail: "无法连接服务器，照片和文字已保留，请稍后重试。" };
  }
  const content = await answer.json().catch(() => null);
  if (!answer.ok) throw content ?? { code: "unknown", detail: "操作未成功，请稍后重试。" };
  return content;
}

/** Show photos small; one opens large. */
export function pictures(place, addresses) {
  place.hidden = !addresses.length;
  place.replaceChildren(...addresses.map((address, index) => {
    const button = make("button", { type: "button", className: "thumb" }, make("img", { src: address, alt: `照片 ${index + 1}`, loading: "lazy" }));
    button.addEventListener("click", () => {
      byId("picture").querySelector("img").src = address;
      byId("picture").showModal();
    });
    return button;
  }));
}

/** Show what was chosen in a file field below it. */
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
