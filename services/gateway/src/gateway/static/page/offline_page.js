/**
 * Registers the service worker, which shows the page where there is no network. Where a browser has none,
 * as on a site without TLS, or forbids it, all is as without.
 */

/** The one policy of Trusted Types that the page's own policy allows. */
const POLICY = "pillowcast-worker";

/**
 * @param {Window & {trustedTypes?: any}} window
 * @param {URL} folder the gateway's; the worker serves what is below it
 * @param {{version: string, language: string}} shown the release and the language of the page, in which it is kept
 * @returns {Promise<ServiceWorkerRegistration | null>} null where there is none
 */
export async function registerWorker(window, folder, shown) {
  // A page within another site's page shows nothing where that one is not there.
  if (window.top !== window || window.document.body.dataset.offline === "no") return null;
  try {
    const { serviceWorker } = window.navigator;
    const registration = (await serviceWorker?.register(workerAddress(window, folder), { scope: folder.href })) ?? null;
    // At the first visit the worker has still to start, and later another one may take its place.
    serviceWorker?.ready.then(({ active }) => active?.postMessage(shown));
    serviceWorker?.addEventListener("controllerchange", () => serviceWorker.controller?.postMessage(shown));
    return registration;
  } catch {
    return null;
  }
}

/**
 * @param {{trustedTypes?: any}} window
 * @param {URL} folder
 */
function workerAddress({ trustedTypes }, folder) {
  const address = new URL("sw.js", folder).href;
  return trustedTypes ? trustedTypes.createPolicy(POLICY, { createScriptURL: () => address }).createScriptURL("") : address;
}
