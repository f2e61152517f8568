/* Sends the queue in its order. What was sent and not answered is sent again: the platform knows each entry by its id. */
"use strict";
const queue = (() => {
  const AT_ONCE = 20;
  let sending = null, again = false;

  const upload = async (each) => {
    for (const id of each.photos) {
      if (each.uploaded[id]) continue;
      const form = new FormData();
      form.append("photo", await store.photo(id), "photo.jpg");
      let answer;
      try {
        answer = await fetch(`/api/v1/patrol-rounds/${each.entry.round}/photos`, { method: "POST", body: form });
      } catch {
        throw { code: "offline", detail: "没有网络。" };
      }
      const told = await answer.json();
      if (!answer.ok) throw { ...told, of: answer.status < 500 && answer.status !== 401 && answer.status !== 429 ? each : null };
      each.uploaded[id] = told.sha256;
      await store.change(each);
    }
  };
  const named = (each) => {
    const hashes = (photos) => photos?.map((id) => each.uploaded[id] ?? id);
    const entry = { ...each.entry, photos: hashes(each.entry.photos) };
    if (entry.answers) entry.answers = entry.answers.map((answer) => ({ ...answer, photos: hashes(answer.photos) }));
    return JSON.parse(JSON.stringify(entry));
  };
  const settle = async (each, result) => {
    if (result.problem?.code === "patrol_photo_missing" && !each.tried) {
      await store.change({ ...each, uploaded: {}, tried: true });
    } else if (result.outcome === "refused") {
      await store.change({ ...each, problem: result.problem });
    } else {
      await store.remove(each);
    }
  };
  const run = async (account, told) => {
    let sent = 0;
    for (;;) {
      const waiting = (await store.queue()).filter((each) => each.account === account && !each.problem).slice(0, AT_ONCE);
      if (!waiting.length) return sent;
      try {
        for (const each of waiting) await upload(each);
      } catch (problem) {
        if (!problem.of) throw problem;
        await store.change({ ...problem.of, problem: { code: problem.code, detail: problem.detail } });
        continue;
      }
      const body = { sent_at: new Date().toISOString(), entries: waiting.map(named) };
      const answer = await qingxu.call("POST", "/api/v1/patrol/batches", body);
      for (const [number, result] of answer.results.entries()) {
        await settle(waiting[number], result);
        told(waiting[number].entry, result);
      }
      sent += waiting.length;
    }
  };
  return {
    /** Send what waits for this account; resolves to how many entries, throws the problem that stopped it. */
    send: (account, told) => {
      again = true;
      sending ??= (async () => {
        let sent = 0;
        try {
          while (again) { again = false; sent += await run(account, told); }
        } finally { sending = null; }
        return sent;
      })();
      return sending;
    },
    /** Return an id that no other entry has. */
    id: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
})();
