/* What a supervisor does at a point: check in with a checklist, report an event in two taps, finish the round. */
"use strict";
const acting = (() => {
  const TOLERANCE = 100, EARTH = 6_371_008.8;
  let open = null, read = "";

  const metres = (one, other) => {
    const rad = Math.PI / 180, a = one.latitude * rad, b = other.latitude * rad;
    const half = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(((other.longitude - one.longitude) * rad) / 2) ** 2;
    return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(half)));
  };
  const located = () => new Promise((resolve) => {
    if (!navigator.geolocation) return resolve(null);
    navigator.geolocation.getCurrentPosition(
      ({ coords, mocked }) => resolve({ longitude: coords.longitude, latitude: coords.latitude, accuracy: coords.accuracy, mock: Boolean(mocked ?? coords.mocked) }),
      () => resolve(null),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 0 },
    );
  });
  const complain = (text) => { at("checking").querySelector(".message").textContent = text; };
  const add = async (entry, kept) => {
    await store.add(patrol.account, { client_id: queue.id(), ...entry }, kept);
    await load();
    sync();
  };

  // --- Checking in ---------------------------------------------------------------------------------------------------

  const showPlace = () => {
    const { stop, here } = open;
    const away = here ? metres(here, stop) : null;
    open.near = away !== null && away <= stop.radius + Math.min(here.accuracy, TOLERANCE);
    at("place").className = open.near ? "good" : "bad";
    at("place").textContent = away === null ? "没有取得定位，请打开手机定位，或填写点位码。"
      : open.near ? `已到点位，距离约 ${Math.round(away)} 米，误差约 ${Math.round(here.accuracy)} 米。`
        : `距点位约 ${away < 1000 ? `${Math.round(away)} 米` : `${(away / 1000).toFixed(1)} 公里`}，须在 ${Math.round(stop.radius)} 米以内打卡。`;
    at("locate").hidden = open.near;
    at("coding").hidden = !(stop.code_required || away === null || open.code);
    at("code-state").textContent = open.code ? "已读取点位码。" : "请扫描现场张贴的码。";
  };
  const locate = async () => {
    at("place").className = "";
    at("place").textContent = "正在定位……";
    complain("");
    const mine = open;
    mine.here = await located();
    if (mine === open) showPlace();
  };
  const itemLine = (item) => {
    const line = made("li");
    const answer = { item: item.code, ok: true, note: "", list: [], photo: item.photo, name: item.name };
    const head = made("div", "item-head");
    const button = made("button", "answer", "正常");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", `${item.name}：正常`);
    head.append(made("span", "", item.name), button);
    const more = made("div", "more");
    const shots = made("div", "photos"), shot = made("label", "shot"), input = made("input");
    Object.assign(input, { type: "file", accept: "image/*" });
    input.setAttribute("capture", "environment");
    input.setAttribute("aria-label", `${item.name}照片`);
    shot.append(made("span", "", item.photo === "never" ? "拍照" : "拍照（必须）"), input);
    shots.append(shot);
    photos.collect(input, answer.list, complain);
    const note = made("input");
    Object.assign(note, { placeholder: "说明（可不填）", maxLength: 200 });
    note.setAttribute("aria-label", `${item.name}说明`);
    note.addEventListener("input", () => { answer.note = note.value.trim(); });
    more.append(shots, note);
    more.hidden = item.photo !== "always";
    button.addEventListener("click", () => {
      answer.ok = !answer.ok;
      button.textContent = answer.ok ? "正常" : "有问题";
      button.setAttribute("aria-pressed", String(!answer.ok));
      button.setAttribute("aria-label", `${item.name}：${button.textContent}`);
      more.hidden = answer.ok && item.photo !== "always";
    });
    line.append(head, more);
    open.answers.push(answer);
    return line;
  };
  const checkIn = (round, stop, given = "") => {
    open = { round, stop, at: new Date(), here: null, near: false, answers: [], code: given, way: given ? "qr" : "" };
    at("checking-title").textContent = stop.name;
    complain("");
    at("code").value = given;
    at("scan").hidden = !code.canScan();
    at("touch").hidden = !code.canTouch();
    at("items").replaceChildren(...(patrol.today.checklists[stop.kind] ?? []).map(itemLine));
    at("coding").hidden = !(stop.code_required || given);
    at("checking").showModal();
    locate();
  };
  const submit = async (event) => {
    event.preventDefault();
    const { round, stop, here, answers } = open;
    const typed = at("code").value.trim();
    if (!open.near && !(here === null && typed)) return complain(here ? "不在点位附近，不能打卡。" : "没有定位时须填写点位码。");
    const lacking = answers.find((each) => !each.list.length && (each.photo === "always" || (each.photo === "when_bad" && !each.ok)));
    if (lacking) return complain(`“${lacking.name}”须附照片。`);
    at("submit").disabled = true;
    try {
      await add({
        kind: "check_in", round: round.id, point: stop.point, at: open.at.toISOString(), until: new Date().toISOString(),
        ...(here ?? {}),
        ...(typed ? { code: typed, code_way: open.way || "typed" } : {}),
        answers: answers.map((each) => ({ item: each.item, ok: each.ok, note: each.note, photos: each.list.map(([id]) => id) })),
      }, answers.flatMap((each) => each.list));
      at("checking").close();
    } catch { complain("手机存储不可用或已满，没有保存。"); } finally { at("submit").disabled = false; }
  };
  const reading = (way, how) => async () => {
    try {
      open.code = await how();
      open.way = way;
      at("code").value = open.code;
      showPlace();
    } catch { at("code-state").textContent = "没有读到点位码，请重试，或填写码下面的字符。"; }
  };

  // --- Reporting and finishing ---------------------------------------------------------------------------------------

  let taken = [];
  const where = () => {
    const round = chosen();
    const visited = round.stops.map((stop) => known(round, stop)).filter((stop) => stop.checked_at);
    return visited.sort((one, other) => new Date(one.checked_at) - new Date(other.checked_at)).at(-1) ?? round.stops[0];
  };
  const report = () => {
    const round = chosen(), stop = where();
    taken = [];
    for (const canvas of at("reporting").querySelectorAll("canvas")) canvas.remove();
    at("report-note").value = "";
    at("reporting-where").textContent = `地点：${stop.name}`;
    at("kinds").replaceChildren(...(patrol.today.kinds[stop.kind] ?? []).map((kind) => {
      const button = made("button", "kind-button", kind.name);
      button.type = "button";
      button.addEventListener("click", async () => {
        at("reporting").close();
        await add({ kind: "report", round: round.id, point: stop.point, event: kind.code, at: new Date().toISOString(), note: at("report-note").value.trim(), photos: taken.map(([id]) => id) }, taken);
      });
      return button;
    }));
    at("reporting").showModal();
  };
  photos.collect(at("reporting").querySelector("input[type=file]"), { push: (each) => taken.push(each) }, toast);

  const finish = () => {
    const round = chosen(), left = round.stops.filter((stop) => !known(round, stop).checked_at).length;
    at("left").textContent = left ? `还有 ${left} 个点位没有打卡，提交后记为“未走完”，请在小结中说明原因。` : "全部点位已打卡。";
    at("summary").value = "";
    at("finishing").showModal();
  };

  at("check-in").addEventListener("click", () => checkIn(chosen(), nextStop(chosen())));
  at("locate").addEventListener("click", locate);
  at("scan").addEventListener("click", reading("qr", () => code.scan(at("camera"))));
  at("touch").addEventListener("click", reading("nfc", () => code.touch()));
  at("checking").querySelector("form").addEventListener("submit", submit);
  at("checking").addEventListener("close", () => { at("camera").hidden = true; });
  at("report").addEventListener("click", report);
  at("finish").addEventListener("click", finish);
  at("finishing").querySelector("form").addEventListener("submit", () => {
    add({ kind: "finish", round: chosen().id, at: new Date().toISOString(), note: at("summary").value.trim() }, []);
  });
  for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close());

  /** Opened by the phone's own camera at a point: the address holds the code, and the check-in begins at once. */
  const arrive = () => {
    const [point, given] = location.hash.slice(1).split(".");
    if (!given) return;
    history.replaceState(null, "", location.pathname);
    for (const round of rounds().filter((each) => !ended(each))) {
      const stop = round.stops.find((each) => each.point === point);
      if (stop) { patrol.chosen = round.id; show(); checkIn(round, known(round, stop), given); return; }
    }
    toast("这个点位不在您今天的巡检中。");
  };
  addEventListener("hashchange", arrive);
  return { checkIn, arrive, where };
})();
