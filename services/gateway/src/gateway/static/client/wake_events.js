/** Events after which a connection is checked: the network is back, or the page is visible again. */

/** @typedef {{window?: EventTarget, document?: EventTarget & {visibilityState: string}}} PageTargets */

export class WakeEvents {
  #page;
  #onWake;

  /**
   * @param {PageTargets | undefined} page the global `window` and `document` by default; Node.js has none
   * @param {() => void} onWake
   */
  constructor(page, onWake) {
    this.#page = page ?? { window: globalThis.window, document: globalThis.document };
    this.#onWake = onWake;
  }

  /** Start to listen; without effect if it listens already. */
  start() {
    this.#page.window?.addEventListener("online", this.#onEvent);
    this.#page.document?.addEventListener("visibilitychange", this.#onEvent);
  }

  stop() {
    this.#page.window?.removeEventListener("online", this.#onEvent);
    this.#page.document?.removeEventListener("visibilitychange", this.#onEvent);
  }

  /** @param {Event} event */
  #onEvent = (event) => {
    const isHidden = event.type === "visibilitychange" && this.#page.document?.visibilityState !== "visible";
    if (!isHidden) this.#onWake();
  };
}
