// Put an order into another one: those of the same place first, or one by its number.
import { ORDERS } from "./api.js";
import { byId, make, moment } from "/static/accounts/ways.js";

const OPEN = ["reported", "filed", "returned", "dispatched", "in_progress", "rework"];

export function merging(send) {
  const dialog = byId("merging");
  const form = dialog.querySelector("form");
  const list = byId("merge-list");
  const message = byId("merge-message");
  let order = null;

  async function near() {
    if (order.longitude === null) return [];
    const found = await qingxu.call("GET", `${ORDERS}/nearby?longitude=${order.longitude}&latitude=${order.latitude}&metres=300&limit=20`);
    return found.items;
  }

  async function look(text) {
    const of = order.id;
    message.textContent = "";
    try {
      const found = text ? (await qingxu.call("GET", `${ORDERS}?phase=open&limit=20&q=${encodeURIComponent(text)}`)).items : await near();
      if (order.id !== of) return;
      offer(found.filter((each) => each.id !== order.id && OPEN.includes(each.state)));
    } catch (problem) {
      qingxu.show(message, problem);
    }
  }

  function offer(found) {
    list.replaceChildren(...found.map((each) => {
      const radio = make("input", { type: "radio", name: "into", value: each.id, required: true });
      return make("li", {}, make("label", {}, radio, make("span", {}, make("b", {}, `${each.title} · ${each.point_name || each.area_name}`), make("small", {}, `${each.number} · ${each.state_title} · ${moment(each.created_at)}`))));
    }));
    if (!found.length) list.replaceChildren(make("li", { className: "quiet none" }, "没有可并入的派单，请输入单号查找。"));
  }

  byId("merge-find").addEventListener("change", (event) => look(event.target.value.trim()));
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value === "cancel") return;
    const { into, reason } = Object.fromEntries(new FormData(form));
    if (into) send({ into, reason: reason.trim() || "同一问题" });
    else event.preventDefault();
  });

  return (found) => {
    order = found;
    form.reset();
    list.replaceChildren();
    dialog.showModal();
    look("");
  };
}
