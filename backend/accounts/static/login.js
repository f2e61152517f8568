"use strict";

const form = document.getElementById("login");
const message = document.getElementById("message");
const password = document.getElementById("password");

document.getElementById("show-password").addEventListener("click", (event) => {
  const visible = password.type === "text";
  password.type = visible ? "password" : "text";
  event.target.textContent = visible ? "显示" : "隐藏";
  event.target.setAttribute("aria-pressed", String(!visible));
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  message.textContent = "";
  try {
    const session = await qingxu.call("POST", "/api/v1/sessions", {
      account: form.account.value,
      password: password.value,
      cookie: true,
    });
    location.assign(session.must_change_password ? form.dataset.account : form.dataset.next);
  } catch (problem) {
    qingxu.show(message, problem);
    button.disabled = false;
    password.select();
  }
});
