"use strict";

/** Send a form by `send`, show what went wrong in it, and say `done` when nothing did. */
function submitting(form, send, done) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = form.querySelector(".message");
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    place.textContent = "";
    try {
      await send();
      place.textContent = done;
      place.classList.add("good");
    } catch (problem) {
      qingxu.show(place, problem);
    }
    button.disabled = false;
  });
}

const profile = document.getElementById("profile");
submitting(profile, async () => {
  const changes = { name: profile.elements.name.value.trim() };
  const phone = profile.elements.phone.value.trim();
  if (phone) changes.phone = phone;
  await qingxu.call("PATCH", "/api/v1/me", changes, { "If-Match": `"${profile.dataset.etag}"` });
  location.reload();
}, "已保存。");

const passwords = document.getElementById("change-password");
submitting(passwords, async () => {
  const { old_password: old, password, repeated } = passwords.elements;
  if (password.value !== repeated.value) throw { detail: "两次输入的新密码不一致。" };
  await qingxu.call("POST", "/api/v1/me/password", { old_password: old.value, password: password.value });
  passwords.reset();
  // Without the profile on the page this was the first password: now the platform is open.
  if (profile) location.reload();
  else location.assign("/");
}, "密码已修改。");

const sessions = document.getElementById("sessions");
sessions.addEventListener("click", async (event) => {
  const id = event.target.dataset.revoke;
  if (!id) return;
  const place = sessions.parentElement.querySelector(".message");
  event.target.disabled = true;
  place.textContent = "";
  try {
    await qingxu.call("DELETE", `/api/v1/sessions/${id}`);
    event.target.closest("li").remove();
  } catch (problem) {
    qingxu.show(place, problem);
    event.target.disabled = false;
  }
});
