"use strict";

// Reading: one message by its button or its link, all of them at once; the badge in the frame follows.
const place = document.getElementById("inbox-message");

async function refreshBadge() {
  qingxu.showUnread((await qingxu.call("GET", "/api/v1/messages/unread")).shown);
}

function showRead(letter) {
  letter.classList.remove("letter-unread");
  letter.querySelector(".dot")?.remove();
  letter.querySelector(".read")?.remove();
}

document.getElementById("inbox")?.addEventListener("click", async (event) => {
  const letter = event.target.closest(".letter");
  if (!letter?.classList.contains("letter-unread")) return;
  const address = `/api/v1/messages/${letter.dataset.id}/read`;
  if (event.target.closest("a.open")) {
    // The page is being left: the request has to outlive it.
    fetch(address, { method: "POST", credentials: "same-origin", keepalive: true }).catch(() => {});
    return;
  }
  if (!event.target.closest("button.read")) return;
  event.target.disabled = true;
  place.textContent = "";
  try {
    await qingxu.call("POST", address);
    showRead(letter);
    await refreshBadge();
  } catch (problem) {
    qingxu.show(place, problem);
    event.target.disabled = false;
  }
});

const all = document.getElementById("read-all");
all.addEventListener("click", async () => {
  all.disabled = true;
  place.textContent = "";
  try {
    // What arrived after this page was shown has not been seen.
    await qingxu.call("POST", "/api/v1/messages/read-all", all.dataset.until ? { until: all.dataset.until } : {});
    document.querySelectorAll(".letter-unread").forEach(showRead);
    await refreshBadge();
  } catch (problem) {
    qingxu.show(place, problem);
  }
  all.disabled = false;
});
