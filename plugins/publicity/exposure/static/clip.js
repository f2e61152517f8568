/* Sends a clip in portions (tus 1.0.0), and goes on where a broken line left it. */
"use strict";
(() => {
  const portion = 2_000_000;
  const spoken = { "Tus-Resumable": "1.0.0" };
  const say = (words) => { document.getElementById("clip-status").textContent = words; };
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const submit = document.querySelector("#report [type=submit]");

  const send = async (file) => {
    const begun = await fetch("/api/v1/uploads", { method: "POST", headers: { ...spoken, "Upload-Length": String(file.size) } });
    if (!begun.ok) throw new Error((await begun.json()).detail);
    const address = begun.headers.get("Location");
    let offset = 0;
    for (let failures = 0; offset < file.size;) {
      const headers = { ...spoken, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
      const answer = await fetch(address, { method: "PATCH", headers, body: file.slice(offset, offset + portion) }).catch(() => null);
      if (answer?.ok) { offset = Number(answer.headers.get("Upload-Offset")); failures = 0; say(`视频已上传 ${Math.round(offset / file.size * 100)} %`); continue; }
      if (++failures > 8) throw new Error("视频没有传完，请检查网络后重新选择。");
      await pause(1000 * failures);
      const standing = await fetch(address, { method: "HEAD", headers: spoken }).catch(() => null);
      if (standing?.ok) offset = Number(standing.headers.get("Upload-Offset"));
    }
    return address.split("/").pop();
  };

  document.getElementById("clip").addEventListener("change", async ({ target }) => {
    const id = document.getElementById("clip-upload");
    id.value = "";
    const [file] = target.files;
    if (!file) return say("");
    submit.disabled = true;
    try { id.value = await send(file); say("视频已上传。"); } catch (error) { say(error.message); target.value = ""; }
    submit.disabled = false;
  });
})();
