/* What makes the form easier where there is a script: place, camera, what is near already, and the draft. */
"use strict";
const form = document.getElementById("report");
const at = (id) => document.getElementById(id);
const fields = ["text", "point", "longitude", "latitude"];
for (const each of document.querySelectorAll(".needs-script")) each.hidden = false;

const chosen = () => form.querySelector("[name=category]:checked")?.value || "";
let waiting = 0;
const keepDraft = () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const content = Object.fromEntries(fields.map((name) => [name, form.elements[name].value]));
    draft.keep({ ...content, category: chosen(), once: form.elements.once.value, photos: [...at("photos").files] });
  }, 300);
};

const setPhotos = (files) => {
  const box = new DataTransfer();
  for (const file of files.slice(0, 9)) box.items.add(file);
  at("photos").files = box.files;
  showPhotos();
};
const showPhotos = () => {
  for (const image of at("previews").children) URL.revokeObjectURL(image.src);
  at("previews").replaceChildren(...[...at("photos").files].map((file, number) => {
    const image = document.createElement("img");
    // The page allows pictures of its own address and data: only.
    const reader = new FileReader();
    reader.onload = () => { image.src = reader.result; };
    reader.readAsDataURL(file);
    image.alt = `照片 ${number + 1}`;
    return image;
  }));
};

const showSimilar = (items) => {
  const list = at("similar").querySelector("ul");
  list.replaceChildren(...items.map((each) => {
    const line = document.createElement("li");
    for (const number of each.thumbnails.slice(0, 2)) {
      const image = document.createElement("img");
      image.src = `/api/v1/exposures/${each.id}/thumbnails/${number}`;
      image.alt = "现场照片，人脸已遮挡";
      line.append(image);
    }
    const words = document.createElement("p");
    const day = new Date(each.reported_on).toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai" });
    words.textContent = `${each.category_title} · ${each.point_name} · 约 ${each.metres} 米 · ${day} · ${each.state_title} · ${each.supports} 人附议`;
    const join = document.createElement("button");
    join.type = "button";
    join.className = "plain";
    join.textContent = "我也遇到了";
    join.addEventListener("click", () => joinIn(each.id, line, join));
    line.append(words, join);
    return line;
  }));
  at("similar").hidden = items.length === 0;
};
const joinIn = async (id, line, button) => {
  button.disabled = true;
  const answer = await fetch(`/api/v1/exposures/${id}/supports`, { method: "POST" }).catch(() => null);
  const told = answer ? await answer.json() : { detail: "没有网络，请稍后再试。" };
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  if (!answer?.ok) { words.textContent = told.detail; button.disabled = false; }
  else if (!told.code) words.textContent = "这个网络今天已经附议过，无需重复。";
  else {
    words.textContent = "已附议。回执码（请截图保存，凭它查进度）：";
    const code = document.createElement("b");
    code.className = "code";
    code.textContent = told.code;
    words.append(code);
    button.remove();
    draft.forget();
  }
  line.append(words);
};
let asked = 0;
const lookAround = async () => {
  const query = new URLSearchParams({ category: chosen() });
  for (const name of ["point", "longitude", "latitude"]) if (form.elements[name].value) query.set(name, form.elements[name].value.trim());
  if (!chosen() || !(query.has("point") || query.has("longitude"))) return;
  const mine = ++asked;
  const answer = await fetch(`/api/v1/exposures/similar?${query}`).catch(() => null);
  if (mine !== asked || !answer) return;
  showSimilar(answer.ok ? (await answer.json()).items : []);
};

at("locate").addEventListener("click", () => {
  at("located").textContent = "正在定位……";
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      at("longitude").value = coords.longitude.toFixed(6);
      at("latitude").value = coords.latitude.toFixed(6);
      at("located").textContent = `已取得位置，误差约 ${Math.round(coords.accuracy)} 米。`;
      keepDraft();
      lookAround();
    },
    () => { at("located").textContent = "无法定位，请填写点位编号。"; },
    { enableHighAccuracy: true, timeout: 15000 },
  );
});
at("camera").addEventListener("click", () => {
  const camera = document.createElement("input");
  Object.assign(camera, { type: "file", accept: "image/jpeg" });
  camera.setAttribute("capture", "environment");
  camera.addEventListener("change", () => { setPhotos([...at("photos").files, ...camera.files]); keepDraft(); });
  camera.click();
});
form.addEventListener("input", keepDraft);
form.addEventListener("change", (event) => {
  if (event.target === at("photos")) { setPhotos([...at("photos").files]); keepDraft(); }
  if (event.target.name === "category" || event.target === at("point")) lookAround();
});
form.addEventListener("submit", (event) => {
  if (navigator.onLine) return;
  event.preventDefault();
  keepDraft();
  at("offline").hidden = false;
  at("offline").scrollIntoView();
});
addEventListener("online", () => { at("offline").hidden = true; });
at("forget").addEventListener("click", async () => { clearTimeout(waiting); await draft.forget(); location.assign("/publicity/report"); });

(async () => {
  const kept = await draft.read();
  // What the server sent back, or what the code of a point says, goes before the draft.
  if (!kept || form.elements.text.value) return;
  for (const name of fields) if (!form.elements[name].value) form.elements[name].value = kept[name] || "";
  form.elements.once.value = kept.once || form.elements.once.value;
  const category = kept.category && form.querySelector(`[name=category][value="${CSS.escape(kept.category)}"]`);
  if (category && !chosen()) category.checked = true;
  if (kept.photos?.length) setPhotos(kept.photos);
  lookAround();
})();
