/* What this phone keeps: the rounds of the day, and the queue with its photos until the platform has them. */
"use strict";
const store = (() => {
  const opened = new Promise((resolve, reject) => {
    const asked = indexedDB.open("qingxu-patrol", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("facts");
      asked.result.createObjectStore("photos");
      asked.result.createObjectStore("queue", { keyPath: "order", autoIncrement: true });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  /** Do `work` with some of the stores in one transaction; resolves once it is on the disk. */
  const act = async (names, mode, work) => {
    const base = await opened;
    return new Promise((resolve, reject) => {
      const transaction = base.transaction(names, mode, { durability: "strict" });
      const wish = work(...names.map((name) => transaction.objectStore(name)));
      transaction.oncomplete = () => resolve(wish?.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  };
  return {
    read: (name) => act(["facts"], "readonly", (facts) => facts.get(name)),
    keep: (name, value) => act(["facts"], "readwrite", (facts) => facts.put(value, name)),
    photo: (id) => act(["photos"], "readonly", (photos) => photos.get(id)),
    queue: () => act(["queue"], "readonly", (queue) => queue.getAll()),
    /** Put an entry behind the others, its photos with it: all or nothing. */
    add: (account, entry, photos) => act(["queue", "photos"], "readwrite", (queue, kept) => {
      for (const [id, blob] of photos) kept.put(blob, id);
      return queue.add({ account, entry, photos: photos.map(([id]) => id), uploaded: {}, problem: null });
    }),
    change: (each) => act(["queue"], "readwrite", (queue) => queue.put(each)),
    remove: (each) => act(["queue", "photos"], "readwrite", (queue, kept) => {
      for (const id of each.photos) kept.delete(id);
      return queue.delete(each.order);
    }),
  };
})();
