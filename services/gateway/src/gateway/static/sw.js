/**
 * The service worker: it keeps the page, and shows it where there is no network or no gateway, or where that
 * does not answer in time. The page then says so, and connects as soon as it can. Nothing else is kept, and no other request is touched: no
 * state of a pillow is ever shown that did not come from the gateway.
 *
 * It is the same in every release. Browsers may never answer a request for the page that is made while one
 * worker replaces another (Chromium 156 does so), and after a release many pages are loaded at once.
 *
 * With GATEWAY_OFFLINE_PAGE=false the gateway puts `false` here: the worker removes what it kept and itself.
 */

const IS_KEPT = true;

const worker = /** @type {any} */ (self);
/** The page; its folder is the scope of the worker, also below a path. @type {string} */
const PAGE = new URL("./", worker.registration.scope).href;
/** An origin may have several gateways, each below its own path. */
const CACHES = `pillowcast ${PAGE} `;
/** The part of addresses that says which release a page is of. */
const VERSION = /assets\/[0-9a-f]{12}\//;
const ONLY_VERSION = RegExp(`^${VERSION.source}$`);
/** The languages that a page may ask for. */
const LANGUAGE = /^[a-z]{2}$/;
/** A proxy's responses while the gateway is away. */
const AWAY = [502, 503, 504];
/** The page that was kept is shown where the gateway's has not begun by then: a link or a proxy may never answer. */
const MAX_WAIT_MS = 5000;
/** What is to be kept has arrived by then, because the next page that is kept waits for it. */
const MAX_FETCH_MS = 60_000;

/** What is kept is replaced by one page after the other, or each would remove the other's. */
let lastKept = Promise.resolve();

worker.addEventListener("install", () => worker.skipWaiting());

// A page that is live says which release it is of, and which language it has.
worker.addEventListener("message", (/** @type {any} */ event) => {
  const { version, language } = event.data ?? {};
  if (IS_KEPT && ONLY_VERSION.test(version)) event.waitUntil(keep(version, language));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(IS_KEPT ? setPreload() : leave());
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

/**
 * Keep the page as it was opened last, and no other.
 *
 * @param {string} version
 * @param {string} language
 */
function keep(version, language) {
  // After a failure, as on a full disk, what was kept stays; the next page that is opened asks again.
  if (LANGUAGE.test(language)) lastKept = lastKept.then(() => keepPage(version, language)).catch(() => {});
  return lastKept;
}

/** @param {string} version @param {string} language */
async function keepPage(version, language) {
  const name = `${CACHES}${version} ${language}`;
  if ((await keptIn(name)) === undefined) {
    const signal = AbortSignal.timeout(MAX_FETCH_MS);
    const response = await fetch(new Request(`${PAGE}?lang=${language}`, { cache: "no-cache" }), { signal });
    const page = response.ok ? await response.clone().text() : "";
    // A proxy may answer in the gateway's name, another gateway may have another release, and Firefox takes a
    // response that was cut for a whole one.
    if (!page.includes(version) || !page.includes("</html>")) return;
    const cache = await caches.open(name);
    await cache.put(PAGE, response);
  }
  await removeCaches((one) => one !== name);
}

/**
 * Keep the release of a page that came too late to be shown: one that is kept says its own release only.
 *
 * @param {Response | undefined} response
 */
async function keepLate(response) {
  const [version] = (response?.ok && VERSION.exec(await response.text())) || [];
  if (version !== undefined) await keep(version, response?.headers.get("Content-Language") ?? "");
}

/** The page that is kept; undefined without one. @returns {Promise<Response | undefined>} */
async function keptPage() {
  for (const name of await caches.keys()) {
    const kept = name.startsWith(CACHES) ? await keptIn(name) : undefined;
    if (kept !== undefined) return kept;
  }
  return undefined;
}

/** @param {string} name of a cache @returns {Promise<Response | undefined>} */
function keptIn(name) {
  return caches.match(PAGE, { cacheName: name, ignoreVary: true });
}

/** The request for the page does not wait until the worker has started. */
async function setPreload() {
  // Firefox shows its own error page when that request fails, whatever the worker responds with.
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
  // A browser may be unable to read what it keeps.
  const kept = await keptPage().catch(() => undefined);
  if (kept === undefined) return (await live) ?? Response.error();
  event.waitUntil(live.then(keepLate).catch(() => {}));
  return kept;
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
