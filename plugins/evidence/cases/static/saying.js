import { byId } from "/static/accounts/ways.js";

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
