/* Hashed files come from the cache first; records from the network first, and for three seconds only: then the copy
   that was read last, marked with its time. Copies belong to one member of one tenant and go with the session. */
"use strict";
const FILES = "kehu-files", META = "kehu-meta", PAGES = "kehu-pages:", MOST = 50, PATIENCE = 3000;
const RECORD = /^\/(customers|contacts|deals|tickets|products|activities)\/[0-9a-f-]{8,}$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (e) => e.waitUntil(self.clients.claim()));

const forget = async (keep = "") => {
  for (const name of await caches.keys()) if (name.startsWith(PAGES) && name !== PAGES + keep) await caches.delete(name);
  if (!keep) await caches.delete(META);
};
const store = async () => {
  const found = await (await caches.open(META)).match("/store");
  return found ? PAGES + (await found.text()) : "";
};
self.addEventListener("message", (e) => {
  const work = async () => {
    if (e.data.forget) return forget();
    await forget(e.data.store);
    const meta = await caches.open(META);
    await meta.put("/store", new Response(e.data.store));
    await meta.put("/words", new Response(e.data.asof || ""));
  };
  e.waitUntil(work());
});

const file = async (request) => {
  const cache = await caches.open(FILES), kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    const old = await cache.keys();
    for (const one of old.slice(0, Math.max(0, old.length - 60))) await cache.delete(one);
  }
  return answer;
};
/* A whole page and the part that a link fills are different answers of one address. */
const key = (request) => { const url = new URL(request.url); return `${url.origin}${url.pathname}${request.headers.get("HX-Request") ? "?part" : ""}`; };
const dated = async (kept) => {
  const words = await (await caches.open(META)).match("/words"), when = new Date(kept.headers.get("Date") || Date.now()).toLocaleString();
  const note = `<p class="k-notice k-tone-warn" role="status">${((await words?.text()) || "{n}").replace("{n}", when).replace(/[<&]/g, "")}</p>`;
  const text = (await kept.text()).replace(/(<main id="main"[^>]*>)/, `$1${note}`);
  const headers = new Headers(kept.headers);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  return new Response(text, { status: 200, headers });
};
const record = async (request) => {
  const name = await store();
  if (!name) return fetch(request);
  const cache = await caches.open(name), kept = await cache.match(key(request), { ignoreVary: true });
  const live = fetch(request).then(async (answer) => {
    if (answer.status === 401 || answer.status === 403 || answer.redirected) await forget();
    else if (answer.ok) {
      await cache.delete(key(request));
      await cache.put(key(request), answer.clone());
      const old = await cache.keys();
      for (const one of old.slice(0, Math.max(0, old.length - MOST * 2))) await cache.delete(one);
    }
    return answer;
  });
  if (!kept) return live;
  const late = new Promise((go) => setTimeout(go, PATIENCE, null));
  const first = await Promise.race([live.catch(() => null), late]);
  return first || dated(kept);
};
self.addEventListener("fetch", (e) => {
  const { request } = e, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) e.respondWith(file(request));
  else if (RECORD.test(url.pathname) && (request.mode === "navigate" || (request.headers.get("HX-Target") || "").endsWith("#main"))) e.respondWith(record(request));
});
