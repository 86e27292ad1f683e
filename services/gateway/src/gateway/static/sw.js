/**
 * The service worker: it keeps the page, and shows it where there is no network or no gateway. The page
 * then says so, and connects as soon as it can. Nothing else is kept, and no other request is touched: no
 * state of a pillow is ever shown that did not come from the gateway.
 *
 * The gateway puts its version here, so that each release keeps its own page. Without a version
 * (GATEWAY_OFFLINE_PAGE=false) the worker removes what it kept and itself.
 */

const VERSION = "0";
const IS_KEPT = Boolean(VERSION);

const worker = /** @type {any} */ (self);
/** The page; its folder is the scope of the worker, also below a path. @type {string} */
const PAGE = new URL("./", worker.registration.scope).href;
/** An origin may have several gateways, each below its own path. */
const CACHES = `pillowcast ${PAGE} `;
const CACHE = CACHES + VERSION;
/** A proxy's responses while the gateway is away. */
const AWAY = [502, 503, 504];

worker.addEventListener("install", (/** @type {any} */ event) => {
  worker.skipWaiting();
  if (IS_KEPT) event.waitUntil(keepPage());
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(IS_KEPT ? start() : leave());
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (!IS_KEPT || method !== "GET" || mode !== "navigate" || origin + pathname !== PAGE) return;
  event.respondWith(respond(event));
});

// Phones show notifications of a worker alone; the page can then not hear the click.
worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(showPage());
});

async function showPage() {
  /** @type {any[]} */
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = windows.find(({ url }) => url.startsWith(PAGE));
  await (open ? open.focus() : worker.clients.openWindow(PAGE));
}

async function keepPage() {
  const cache = await caches.open(CACHE);
  await cache.add(new Request(PAGE, { cache: "no-cache" }));
}

async function start() {
  await removeCaches((name) => name !== CACHE);
  // The request for the page does not wait until the worker has started.
  await worker.registration.navigationPreload?.enable();
}

async function leave() {
  await removeCaches(() => true);
  await worker.registration.unregister();
}

/** @param {(name: string) => boolean} isRemoved of this gateway's */
async function removeCaches(isRemoved) {
  const names = (await caches.keys()).filter((name) => name.startsWith(CACHES) && isRemoved(name));
  await Promise.all(names.map((name) => caches.delete(name)));
}

/** The gateway's response; the page that was kept if there is none. @param {any} event */
async function respond(event) {
  /** @type {Response | undefined} */
  let response;
  try {
    response = (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    // There is no network, or nothing answers at this address.
  }
  if (response !== undefined && !AWAY.includes(response.status)) return response;
  const cache = await caches.open(CACHE);
  return (await cache.match(PAGE, { ignoreVary: true })) ?? response ?? Response.error();
}
