"use strict";

// What every page does: large type, and keeping the login alive while somebody works on the page.
window.qingxu = {
  /** Call the API with JSON or a form; returns the answer's JSON (null when empty), throws the problem's JSON. */
  async call(method, address, body, headers = {}) {
    const json = body !== undefined && !(body instanceof FormData);
    let answer;
    try {
      answer = await fetch(address, {
        method,
        credentials: "same-origin",
        headers: json ? { "Content-Type": "application/json", ...headers } : headers,
        body: json ? JSON.stringify(body) : body,
      });
    } catch {
      throw { code: "offline", detail: "无法连接服务器，请检查网络后重试。" };
    }
    const text = await answer.text();
    let content = null;
    try {
      content = text ? JSON.parse(text) : null;
    } catch {
      throw { code: "unreadable", detail: "服务器的答复无法识别，请稍后重试。" };
    }
    if (!answer.ok) throw content ?? { code: "unknown", detail: "操作未成功，请稍后重试。" };
    return content;
  },

  /** Show a problem in a form: its sentences, field by field where it has them. */
  show(place, problem) {
    const sentences = Object.values(problem.fields ?? {}).flat();
    place.textContent = sentences.length ? sentences.join(" ") : problem.detail;
    place.classList.remove("good");
  },
};

/** Show how many messages are unread: `shown` is 0, 7 or 99+. */
qingxu.showUnread = (shown) => {
  const badge = document.querySelector("#messages .unread");
  if (!badge) return;
  badge.textContent = shown;
  badge.hidden = shown === "0";
};

const elder = document.getElementById("elder");
function showElder() {
  const on = document.documentElement.classList.contains("elder");
  elder.setAttribute("aria-pressed", String(on));
  elder.textContent = on ? "标准版" : "适老化";
}
elder.addEventListener("click", () => {
  const on = document.documentElement.classList.toggle("elder");
  localStorage.setItem("qingxu-elder", on ? "1" : "0");
  showElder();
});
showElder();

// Unused logins end by themselves; typing or reading is use, though it asks nothing of the server.
if (document.body.hasAttribute("data-signed-in")) {
  let used = false;
  for (const kind of ["pointerdown", "keydown", "scroll"]) {
    addEventListener(kind, () => { used = true; }, { passive: true });
  }
  setInterval(() => {
    if (!used) return;
    used = false;
    qingxu.call("GET", "/api/v1/messages/unread").then((unread) => qingxu.showUnread(unread.shown), () => {});
  }, 120_000);
}
