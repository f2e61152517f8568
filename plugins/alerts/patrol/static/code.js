/* Reads the code of a point: by camera or NFC where the browser can, else it is typed. */
"use strict";
const code = (() => {
  /** Return the code in what was read: the address on the sheet ends with #point.code. */
  const inside = (text) => (text.includes("#") ? text.slice(text.indexOf("#") + 1) : text).split(".").pop().trim();
  const canScan = () => "BarcodeDetector" in window && !!navigator.mediaDevices;
  const canTouch = () => "NDEFReader" in window;
  const scan = async (video) => {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    video.hidden = false;
    try {
      await video.play();
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      for (let tries = 0; tries < 150 && !video.hidden; tries += 1) {
        const [found] = await detector.detect(video);
        if (found) return inside(found.rawValue);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      throw new Error("no code");
    } finally {
      for (const track of stream.getTracks()) track.stop();
      video.hidden = true;
    }
  };
  const touch = async () => {
    const reader = new NDEFReader(), stop = new AbortController();
    await reader.scan({ signal: stop.signal });
    return new Promise((resolve, reject) => {
      setTimeout(() => { stop.abort(); reject(new Error("no tag")); }, 30_000);
      reader.onreading = ({ message }) => {
        for (const record of message.records) {
          if (!["url", "text", "absolute-url"].includes(record.recordType)) continue;
          stop.abort();
          resolve(inside(new TextDecoder(record.encoding ?? "utf-8").decode(record.data)));
        }
      };
    });
  };
  return { inside, canScan, canTouch, scan, touch };
})();
