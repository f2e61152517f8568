"use strict";

const failed = document.getElementById("failed");
failed?.addEventListener("click", async (event) => {
  if (!event.target.matches("[data-retry]")) return;
  const line = event.target.closest("li");
  const place = failed.parentElement.querySelector(".message");
  event.target.disabled = true;
  place.textContent = "";
  try {
    await qingxu.call("POST", `/api/v1/failed-messages/${line.dataset.id}/retry`);
    line.remove();
    place.textContent = "已重新发送。";
    place.classList.add("good");
  } catch (problem) {
    qingxu.show(place, problem);
    event.target.disabled = false;
  }
});

for (const form of document.querySelectorAll(".template form")) {
  const { title, text } = form.elements;
  form.querySelector("[data-text]")?.addEventListener("click", (event) => {
    title.value = event.target.dataset.title;
    text.value = event.target.dataset.text;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = form.querySelector(".message");
    const button = form.querySelector("button[type=submit]");
    const channels = [...form.querySelectorAll("[name=channels]:checked")].map((box) => box.value);
    button.disabled = true;
    place.textContent = "";
    try {
      const address = `/api/v1/message-templates/${encodeURIComponent(form.dataset.name)}`;
      const body = { title: title.value, text: text.value, channels };
      const changed = await qingxu.call("PATCH", address, body, { "If-Match": `"${form.dataset.etag}"` });
      form.dataset.etag = changed.etag;
      place.textContent = "已保存，此后的消息按新的文字发送。";
      place.classList.add("good");
    } catch (problem) {
      qingxu.show(place, problem);
    }
    button.disabled = false;
  });
}
