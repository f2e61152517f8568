// What a person does with a charge: appeal, decide on an appeal, take points or an appeal back.
import { APPEALS, CHARGES } from "./api.js";
import { byId, make, moment, preview, send, thumbs } from "/static/accounts/ways.js";

export function acting(changed) {
  const form = byId("doing");
  const { reason, photos } = form.elements;
  const message = byId("message");
  const quick = JSON.parse(byId("work").dataset.reasons);
  let charge = null;
  let appeal = null;
  let busy = false;

  async function show(found) {
    if (charge?.id !== found.id) message.textContent = "";
    charge = found;
    appeal = null;
    form.reset();
    form.querySelector(".shot b").replaceChildren();
    if (charge.appeal) {
      try {
        appeal = await qingxu.call("GET", `${APPEALS}/${charge.id}`);
      } catch (problem) {
        qingxu.show(message, problem);
      }
    }
    showAppeal();
    byId("annul").hidden = !charge.may_annul;
    byId("withdraw").hidden = !appeal?.may_withdraw;
    form.hidden = true;
    if (charge.may_appeal) offer("提出申诉", `请在 ${moment(charge.appeal_by)} 前提出，每项扣分可申诉一次。`, ["appeal"], true, [["提交申诉", fileAppeal, ""]]);
    else if (appeal?.may_decide) offer("裁决申诉", `请在 ${moment(appeal.due_at)} 前裁决。`, ["uphold", "refuse"], false, [["申诉成立，冲销扣分", () => decide("uphold"), "calm"], ["申诉不成立", () => decide("refuse"), "danger"]]);
    byId("no-acting").hidden = !form.hidden || charge.may_annul || Boolean(appeal);
  }

  function showAppeal() {
    byId("appeal").hidden = !appeal;
    if (!appeal) return;
    byId("appeal-head").textContent = `${appeal.state_title} · ${appeal.filed_name} ${moment(appeal.filed_at)}${appeal.overdue ? " · 已超裁决期限" : ""}`;
    byId("appeal-reason").textContent = appeal.reason;
    thumbs(byId("appeal-photos"), appeal.photos.map((address) => ({ address })), byId("picture"));
    byId("appeal-decision").hidden = !appeal.decision;
    byId("appeal-decision").textContent = appeal.decision ? `${appeal.decided_name} ${moment(appeal.decided_at)}：${appeal.decision}` : "";
  }

  function offer(title, hint, kinds, withPhotos, buttons) {
    form.hidden = false;
    byId("doing-title").textContent = title;
    byId("doing-hint").textContent = hint;
    byId("adding").hidden = !withPhotos;
    byId("chips").replaceChildren(...kinds.flatMap((kind) => quick[kind]).map((words) => {
      const chip = make("button", { type: "button", className: "chip" }, words);
      chip.addEventListener("click", () => { reason.value = reason.value ? `${reason.value}；${words}` : words; });
      return chip;
    }));
    byId("buttons").replaceChildren(...buttons.map(([words, act, look]) => {
      const button = make("button", { type: "button", className: `verb ${look}` }, words);
      button.addEventListener("click", () => attempt(act));
      return button;
    }));
  }

  async function attempt(act) {
    if (busy) return;
    busy = true;
    form.classList.add("busy");
    message.textContent = "";
    try {
      const words = await act();
      await changed();
      message.textContent = words;
      message.classList.add("good");
    } catch (problem) {
      if (["stale_version", "conflict", "appeal_exists"].includes(problem.code)) await changed();
      qingxu.show(message, problem);
    }
    form.classList.remove("busy");
    busy = false;
  }


  async function fileAppeal() {
    const body = new FormData();
    body.set("charge", charge.id);
    body.set("reason", reason.value.trim());
    for (const file of photos.files) body.append("photos", file);
    await send("POST", APPEALS, body);
    return "申诉已提交，请等待裁决。";
  }

  async function decide(verb) {
    await send("POST", `${APPEALS}/${appeal.id}/decision`, { verb, reason: reason.value.trim() }, appeal.etag);
    return verb === "uphold" ? "已裁决，扣分已冲销。" : "已裁决，维持扣分。";
  }

  byId("annul").addEventListener("click", () => {
    byId("annul").hidden = true;
    offer("冲销计分", "记一笔相反的分录，原分录保留。", ["annul"], false, [["确认冲销", async () => {
      await send("POST", `${CHARGES}/${charge.id}/annul`, { reason: reason.value.trim() }, charge.etag);
      return "已冲销。";
    }, "danger"]]);
    reason.focus();
  });
  byId("withdraw").addEventListener("click", () => attempt(async () => {
    await send("POST", `${APPEALS}/${appeal.id}/withdrawal`, {}, appeal.etag);
    return "申诉已撤回。";
  }));
  preview(photos);
  form.addEventListener("submit", (event) => event.preventDefault());

  return { show, charge: () => charge };
}
