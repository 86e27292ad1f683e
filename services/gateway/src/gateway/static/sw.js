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
/** The languages that a page may ask for. */
const LANGUAGE = /^[a-z]{2}$/;
/** A proxy's responses while the gateway is away. */
const AWAY = [502, 503, 504];
/** The page that was kept is shown where the gateway's has not begun by then: a link or a proxy may never answer. */
const MAX_WAIT_MS = 5000;

worker.addEventListener("install", (/** @type {any} */ event) => {
  worker.skipWaiting();
  if (IS_KEPT) event.waitUntil(keepFirst());
});

// A page says which language it has.
worker.addEventListener("message", (/** @type {any} */ event) => {
  const language = event.data?.language;
  if (IS_KEPT && LANGUAGE.test(language)) event.waitUntil(keepLanguage(language));
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

/** In the language of what was kept before; at the first visit, in the browser's. */
async function keepFirst() {
  for (const name of await caches.keys()) {
    const language = name.startsWith(CACHES) ? await keptLanguage(name) : null;
    if (language !== null) return keepPage(language);
  }
  await keepPage();
}

/** Keep the page in the language in which it was opened last. @param {string} language */
async function keepLanguage(language) {
  // A failure leaves what was kept; the next page that is opened asks again.
  if ((await keptLanguage(CACHE)) !== language) await keepPage(language).catch(() => {});
}

/** The language of the page that a cache keeps; null without one. @param {string} name */
async function keptLanguage(name) {
  const kept = await (await caches.open(name)).match(PAGE, { ignoreVary: true });
  return kept?.headers.get("Content-Language") ?? null;
}

/** @param {string} [language] the browser's by default */
async function keepPage(language) {
  const address = language === undefined ? PAGE : `${PAGE}?lang=${language}`;
  const response = await fetch(new Request(address, { cache: "no-cache" }));
  if (!response.ok) throw new Error(`the page cannot be kept: ${address} is answered with status ${response.status}`);
  const cache = await caches.open(CACHE);
  await cache.put(PAGE, response);
}

async function start() {
  await removeCaches((name) => name !== CACHE);
  // The request for the page does not wait until the worker has started. Firefox shows its own error page when
  // that request fails, whatever the worker responds with.
  const preload = worker.registration.navigationPreload;
  await (worker.navigator.userAgent.includes("Firefox/") ? preload?.disable() : preload?.enable());
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

/** The gateway's response; the page that was kept if there is none in time. @param {any} event */
async function respond(event) {
  const live = load(event);
  const first = await Promise.race([live, delay(MAX_WAIT_MS)]);
  if (first !== undefined && !AWAY.includes(first.status)) return first;
  const cache = await caches.open(CACHE);
  return (await cache.match(PAGE, { ignoreVary: true })) ?? (await live) ?? Response.error();
}

/** The gateway's response; undefined without one. @param {any} event @returns {Promise<Response | undefined>} */
async function load(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return undefined; // There is no network, or nothing answers at this address.
  }
}

/** @param {number} ms @returns {Promise<undefined>} */
function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
