// What the intake could not raise by itself: codes that nobody has mapped, and where it is quiet.
import { ALERTS } from "./api.js";
import { byId, instant, make, send } from "/static/accounts/ways.js";

const CODES = "/api/v1/alert-waiting-codes";
const VENDOR = "/api/v1/alert-vendor-codes";
const QUIET = "/api/v1/alert-quiet-windows";

export function upkeep(changed) {
  const place = byId("upkeep");
  const may = byId("work").hasAttribute("data-map");

  function put(title, words, rows) {
    const back = make("button", { type: "button", className: "plain", id: "upkeep-back" }, "返回列表");
    back.addEventListener("click", () => document.dispatchEvent(new Event("back")));
    place.replaceChildren(make("header", { className: "head" }, back, make("h2", {}, title)), make("p", { className: "quiet words" }, words),
      make("p", { className: "message", role: "alert" }), make("ul", { className: "lines" }, ...rows));
  }

  async function tried(button, act) {
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      place.querySelector(".message").textContent = problem.detail;
      button.disabled = false;
    }
  }

  async function codes() {
    const [waiting, kinds] = await Promise.all([qingxu.call("GET", CODES), qingxu.call("GET", `${ALERTS}/kinds`)]);
    put("待归类的厂商编码", waiting.items.length ? "归类以后，已收到的推送会自动计入事件。" : "没有待归类的编码。", waiting.items.map((row) => {
      const choice = make("select", { ariaLabel: `${row.code} 的事件类型` }, make("option", { value: "" }, "选择事件类型"), ...kinds.items.map((each) => make("option", { value: each.code }, `${each.code} ${each.name}`)));
      const button = make("button", { type: "button", className: "primary" }, "归类");
      button.addEventListener("click", () => choice.value && tried(button, async () => {
        await send("PUT", VENDOR, { vendor: row.vendor, code: row.code, kind: choice.value });
        // Workers take in what waited; that takes a moment.
        choice.replaceWith(make("span", { className: "good" }, "已归类，正在计入事件"));
        button.remove();
        changed();
      }));
      return make("li", {}, make("div", {}, make("b", {}, `${row.vendor || "未标识厂商"} · ${row.code || "无编码"}`),
        make("span", {}, `${row.count} 条，最近 ${instant(row.last_at)}，${[row.point_name, row.device].filter(Boolean).join(" ")}`), row.note && make("span", {}, row.note)), may && row.code && choice, may && row.code && button);
    }));
  }

  async function quiet() {
    const { items } = await qingxu.call("GET", `${QUIET}?active=true&limit=200`);
    put("屏蔽和检修", items.length ? "期间的推送只留存，不生成事件。" : "现在没有屏蔽或检修。", items.map((row) => {
      const button = make("button", { type: "button", className: "plain" }, "提前结束");
      button.addEventListener("click", () => tried(button, async () => {
        await send("POST", `${QUIET}/${row.id}/end`, undefined, row.etag);
        await show("quiet");
      }));
      const what = [row.point && `点位 ${row.point}`, row.device && `设备 ${row.device}`, row.kind && `类型 ${row.kind}`].filter(Boolean).join("，") || "区域内全部";
      return make("li", {}, make("div", {}, make("b", {}, `${row.purpose_title} · ${what}`),
        make("span", {}, `${instant(row.since)} 至 ${instant(row.until)}，${row.set_by_name}：${row.reason}`)), button);
    }));
  }

  async function show(name) {
    try {
      await (name === "codes" ? codes() : quiet());
    } catch (problem) {
      put("", problem.detail, []);
    }
  }
  return { show };
}
