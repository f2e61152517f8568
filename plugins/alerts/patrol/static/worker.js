/* Lets the page open without a network. It keeps the page as nobody's, never an answer of the API: those lie with the page. */
"use strict";
const CACHE = "qingxu-patrol-1";
const PAGE = "/alerts/patrol/today", SHELL = "/alerts/patrol/offline";
const OWN = ["today.css", "store.js", "queue.js", "photos.js", "code.js", "today.js", "acting.js"];
const FRAME = ["base.css", "base.js", "elder.js", "logo.svg"];
const FILES = [...OWN.map((name) => `/alerts/patrol/static/${name}`), ...FRAME.map((name) => `/static/accounts/${name}`)];
const PATIENCE = 5000;

// Without the cookie the page holds nobody's name.
const anew = (address) => new Request(address, { credentials: "omit", cache: "reload" });

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([SHELL, ...FILES].map(anew))).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const others = async () => (await caches.keys()).filter((name) => name.startsWith("qingxu-patrol-") && name !== CACHE);
  event.waitUntil(others().then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

/** Ask the network, but not for ever: a phone in a basement often believes that it has one. */
const asked = (request) => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  return fetch(request, { signal: stop.signal }).finally(() => clearTimeout(timer));
};
const file = async (request) => {
  const cache = await caches.open(CACHE);
  try {
    const answer = await asked(request);
    if (answer.ok) await cache.put(request.url, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request.url, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
};
const page = async (request) => {
  try {
    return await asked(request);
  } catch {
    return (await caches.open(CACHE)).match(SHELL);
  }
};
self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (event.request.mode === "navigate") { if (pathname === PAGE) event.respondWith(page(event.request)); }
  else if (FILES.includes(pathname)) event.respondWith(file(event.request));
});
