"use strict";

const form = document.getElementById("choice");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const place = form.querySelector(".message");
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  place.textContent = "";
  const channels = {};
  for (const box of form.querySelectorAll("input[type=checkbox]")) channels[box.name] = box.checked;
  const own = `${document.getElementById("quiet-from").value}-${document.getElementById("quiet-until").value}`;
  const hours = { platform: "", none: "none", own }[form.elements.quiet.value];
  try {
    const headers = { "If-Match": `"${form.dataset.etag}"` };
    const changed = await qingxu.call("PATCH", "/api/v1/me/message-choice", { channels, own_quiet_hours: hours }, headers);
    form.dataset.etag = changed.etag;
    place.textContent = "已保存。";
    place.classList.add("good");
  } catch (problem) {
    qingxu.show(place, problem);
  }
  button.disabled = false;
});
