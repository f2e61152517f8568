// Points by hand, and the names of compounds for the fields that ask for one.
import { CHARGES, signed } from "./api.js";
import { byId, make, preview, send } from "/static/accounts/ways.js";

export function entering(entered) {
  let asked = "";
  for (const field of document.querySelectorAll("[list=compounds]")) {
    field.addEventListener("input", async () => {
      const text = field.value.trim();
      if (text.length < 1 || text === asked) return;
      asked = text;
      try {
        const found = await qingxu.call("GET", `/api/v1/compounds?${new URLSearchParams({ q: text, limit: 20 })}`);
        if (asked === text) byId("compounds").replaceChildren(...found.items.map((each) => make("option", { value: each.code }, each.name)));
      } catch {
        // the code can be typed all the same
      }
    });
  }
  const dialog = byId("entering");
  if (!dialog) return;
  const form = byId("entering-form");
  const message = byId("entering-message");
  let busy = false;

  byId("enter").addEventListener("click", async () => {
    message.textContent = "";
    dialog.showModal();
    try {
      const found = await qingxu.call("GET", "/api/v1/assessment-rules?editions=in_force&event=manual");
      byId("enter-rule").replaceChildren(...found.items.map((each) => make("option", { value: each.code }, `${each.code} ${each.title}（${signed(each.points)}）`)));
    } catch (problem) {
      qingxu.show(message, problem);
    }
  });
  byId("entering-close").addEventListener("click", () => dialog.close());
  preview(form.elements.photos);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    form.classList.add("busy");
    const body = new FormData();
    for (const name of ["compound", "rule", "reason"]) body.set(name, form.elements[name].value.trim());
    for (const file of form.elements.photos.files) body.append("photos", file);
    try {
      const charge = await send("POST", CHARGES, body);
      dialog.close();
      form.reset();
      form.querySelector(".shot b").replaceChildren();
      await entered(charge);
    } catch (problem) {
      qingxu.show(message, problem);
    }
    form.classList.remove("busy");
    busy = false;
  });
}
