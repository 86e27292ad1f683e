/**
 * When a page needs its connection: not while it is frozen, and not after it was hidden for a while.
 * When the network is lost or back, or the page is visible again, the connection is checked.
 */

/** @typedef {{window?: EventTarget & {navigator?: {onLine?: boolean}}, document?: EventTarget & {visibilityState: string}}} PageTargets */
/**
 * @typedef {object} LifecycleCallbacks
 * @property {() => void} onOffline the network is lost
 * @property {() => void} onWake the network is back, or the page is visible or no longer frozen
 * @property {(reason: string) => void} onSuspend the page does not show what arrives
 */

/** A page that was hidden for this long closes its connection, and resumes when it is visible. */
export const HIDDEN_TIMEOUT_MS = 300_000;
/** The same of an event stream: it takes one of the six connections that a browser makes to a host by HTTP/1.1. */
export const HIDDEN_EVENTS_TIMEOUT_MS = 10_000;

export class PageLifecycle {
  #page;
  #callbacks;
  #timers;
  #hiddenTimeout;
  /** @type {unknown} */
  #hiddenTimer = null;
  #isOffline = false;

  /**
   * @param {PageTargets | undefined} page the global `window` and `document` by default; Node.js has none
   * @param {LifecycleCallbacks} callbacks
   * @param {import("./sockets.js").Timers} timers
   * @param {() => number | null} hiddenTimeout returns the time in ms; null: a hidden page stays connected
   */
  constructor(page, callbacks, timers, hiddenTimeout) {
    this.#page = page ?? { window: globalThis.window, document: globalThis.document };
    this.#callbacks = callbacks;
    this.#timers = timers;
    this.#hiddenTimeout = hiddenTimeout;
  }

  /** Start to listen; without effect if it listens already. */
  start() {
    const { window, document } = this.#page;
    window?.addEventListener("online", this.#onOnline);
    window?.addEventListener("offline", this.#onOffline);
    document?.addEventListener("visibilitychange", this.#onVisibility);
    document?.addEventListener("freeze", this.#onFreeze);
    document?.addEventListener("resume", this.#onResume);
    this.#watchHidden();
  }

  stop() {
    const { window, document } = this.#page;
    window?.removeEventListener("online", this.#onOnline);
    window?.removeEventListener("offline", this.#onOffline);
    document?.removeEventListener("visibilitychange", this.#onVisibility);
    document?.removeEventListener("freeze", this.#onFreeze);
    document?.removeEventListener("resume", this.#onResume);
    this.#timers.clearTimeout(this.#hiddenTimer);
  }

  /** Whether the browser knows that it has no network. */
  get isOffline() {
    return !(this.#page.window?.navigator?.onLine ?? !this.#isOffline);
  }

  get #isHidden() {
    return this.#page.document?.visibilityState === "hidden";
  }

  #onOnline = () => {
    this.#isOffline = false;
    this.#callbacks.onWake();
  };

  #onOffline = () => {
    this.#isOffline = true;
    this.#callbacks.onOffline();
  };

  #onVisibility = () => {
    this.#watchHidden();
    if (!this.#isHidden) this.#callbacks.onWake();
  };

  // A frozen page runs no code, but the browser keeps what arrives: it would all be handled at once.
  #onFreeze = () => this.#callbacks.onSuspend("the page is frozen");

  #onResume = () => {
    this.#watchHidden();
    this.#callbacks.onWake();
  };

  #watchHidden() {
    this.#timers.clearTimeout(this.#hiddenTimer);
    const timeout = this.#isHidden ? this.#hiddenTimeout() : null;
    if (timeout === null) return;
    this.#hiddenTimer = this.#timers.setTimeout(() => this.#callbacks.onSuspend("the page is hidden"), timeout);
  }
}
