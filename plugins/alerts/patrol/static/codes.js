/* Prints the sheet, replaces a code that leaked, and says whether it must be read. */
"use strict";
const at = (id) => document.getElementById(id);
let replacing = "";

/** Change a point as it is now; whoever changed it in between is not overwritten. */
const change = async (point, method, tail, body) => {
  const address = `/api/v1/patrol-points/${point}`;
  try {
    const site = await qingxu.call("GET", address);
    await qingxu.call(method, address + tail, body, { "If-Match": `"${site.etag}"` });
    return true;
  } catch (problem) {
    qingxu.show(at("message"), problem);
    return false;
  }
};

for (const each of document.querySelectorAll(".keeping")) {
  const { point } = each.dataset, required = each.querySelector("input");
  required.addEventListener("change", async () => {
    if (!(await change(point, "PATCH", "", { code_required: required.checked }))) required.checked = !required.checked;
  });
  each.querySelector("button").addEventListener("click", () => {
    replacing = point;
    at("replacing-title").textContent = `更换 ${point} 的点位码`;
    at("replacing").showModal();
  });
}
at("cancel").addEventListener("click", () => at("replacing").close());
at("replacing").querySelector("form").addEventListener("submit", async () => {
  if (await change(replacing, "POST", "/replace-code", { reason: at("reason").value.trim() })) location.reload();
});
at("print").addEventListener("click", () => window.print());
