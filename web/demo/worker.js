// An app's own service worker. This line is all that push needs; the rest keeps the page for a start without a line.
importScripts("/tocsin/worker.js");

// Filled in by the build: the page's files, and a name that changes with any of them.
const { files, version } = self.shell;
const cacheName = `tocsin-demo ${version}`;

addEventListener("install", (event) => event.waitUntil(keep()));
addEventListener("activate", (event) => event.waitUntil(tidy()));
addEventListener("fetch", (event) => {
  const kept = keptName(event.request);
  if (kept)
    event.respondWith(
      caches.match(kept, { cacheName }).then((file) => file ?? fetch(event.request)),
    );
});
// A new version waits, so that no open page gets files of two versions, until the person says so.
addEventListener("message", (event) => {
  if (event.data === "take over") skipWaiting();
});

async function keep() {
  const cache = await caches.open(cacheName);
  await cache.addAll(files.map((file) => new Request(file, { cache: "reload" })));
}

async function tidy() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("tocsin-demo ") && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

/** Which kept file answers a request; the page's own is the same for every person and device. */
function keptName({ method, mode, url }) {
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return null;
  if (mode === "navigate") return pathname === "/" ? "/" : null;
  return files.includes(pathname) ? pathname : null;
}
