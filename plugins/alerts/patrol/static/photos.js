/* Photos: made small enough to wait on the phone and to go through a weak network, without what the camera wrote in. */
"use strict";
const photos = (() => {
  const LONGEST = 1600;
  /** Return a photo as a small JPEG: [id, blob], and a canvas to show. */
  const take = async (file) => {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(16, Math.round(bitmap.width * scale));
    canvas.height = Math.max(16, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.82));
    return { id: queue.id(), blob, canvas };
  };
  /** Let an input collect photos into `list`, and show them before it. */
  const collect = (input, list, told) => input.addEventListener("change", async () => {
    for (const file of input.files) {
      try {
        const photo = await take(file);
        list.push([photo.id, photo.blob]);
        photo.canvas.className = "thumb";
        input.closest(".photos").prepend(photo.canvas);
      } catch { told("这张照片无法读取，请重拍。"); }
    }
    input.value = "";
  });
  return { collect };
})();
