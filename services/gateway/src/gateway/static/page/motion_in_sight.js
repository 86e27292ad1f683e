/** Asks for the motion of the clouds in sight, which are all that could show it. */

/**
 * @param {Window & typeof globalThis} window
 * @param {Pick<import("../client/session.js").Session, "subscribeMotion">} client
 * @param {HTMLElement[]} places the wall and the detail view, in which elements with `data-pillow` have a cloud
 */
export function askForMotionInSight(window, client, places) {
  const { document } = window;
  const reduced = window.matchMedia("(prefers-reduced-motion: reduce)");
  const ask = () => client.subscribeMotion(reduced.matches || document.hidden ? [] : places.flatMap(pillowsInSight));
  // The cloud itself notes whether it is in sight, and a card of a crowd gets other pillows.
  const moved = new window.MutationObserver(ask);
  const removed = new window.MutationObserver(ask);
  for (const place of places) {
    moved.observe(place, { subtree: true, attributeFilter: ["class", "data-pillow"] });
    removed.observe(place, { childList: true });
  }
  document.addEventListener("visibilitychange", ask);
  reduced.addEventListener("change", ask);
  ask();
}

/** @param {HTMLElement} place */
function pillowsInSight(place) {
  const clouds = [...place.querySelectorAll(".cloud:not(.offscreen)")];
  return clouds.flatMap((cloud) => /** @type {HTMLElement | null} */ (cloud.closest("[data-pillow]"))?.dataset.pillow ?? []);
}
