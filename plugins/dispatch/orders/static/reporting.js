// Report something by hand: what it is, and where.
import { ORDERS } from "./api.js";
import { byId, locate, send } from "/static/accounts/ways.js";

export function reporting(open) {
  const dialog = byId("reporting");
  if (!dialog) return;
  const form = dialog.querySelector("form");
  const { kind, title, point } = form.elements;
  const here = byId("report-here");
  const message = byId("report-message");
  let place = null;
  let named = "";

  function begin() {
    form.reset();
    place = null;
    named = "";
    here.textContent = "使用当前位置";
    message.textContent = "";
    name();
    dialog.showModal();
  }

  /** Name it after its kind, unless the person named it. */
  function name() {
    if (title.value && title.value !== named) return;
    named = kind.value ? kind.selectedOptions[0].textContent : "";
    title.value = named;
  }

  byId("report").addEventListener("click", begin);
  kind.addEventListener("change", name);
  here.addEventListener("click", async () => {
    here.textContent = "正在定位……";
    try {
      place = await locate();
      here.textContent = `已定位，精度 ${Math.round(place.accuracy)} 米`;
    } catch (problem) {
      here.textContent = problem.detail;
    }
  });
  form.addEventListener("submit", async (event) => {
    if (event.submitter?.value === "cancel") return;
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, value.trim()]));
    const where = place ? { longitude: place.longitude, latitude: place.latitude } : {};
    form.classList.add("busy");
    try {
      const order = await send("POST", ORDERS, { ...given, point: point.value.trim(), severity: Number(given.severity), ...where });
      dialog.close();
      open(order.id);
    } catch (problem) {
      qingxu.show(message, problem);
    }
    form.classList.remove("busy");
  });
}
