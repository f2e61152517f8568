/* The draft of a report, photos included: kept in this browser alone, for a place without a network. */
"use strict";
const draft = (() => {
  const opened = () => new Promise((resolve, reject) => {
    const asked = indexedDB.open("qingxu-exposure", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("drafts");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  const act = async (mode, work) => {
    try {
      const base = await opened();
      return await new Promise((resolve, reject) => {
        const wish = work(base.transaction("drafts", mode).objectStore("drafts"));
        wish.onsuccess = () => { resolve(wish.result); base.close(); };
        wish.onerror = () => { reject(wish.error); base.close(); };
      });
    } catch { return undefined; } // a browser without such a store: the form works, drafts do not
  };
  return {
    keep: (content) => act("readwrite", (store) => store.put(content, "report")),
    read: () => act("readonly", (store) => store.get("report")),
    forget: () => act("readwrite", (store) => store.delete("report")),
  };
})();
