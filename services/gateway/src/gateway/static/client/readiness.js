/** Whether a client has all states, or why it will not get them: for who waits, and otherwise for the console. */

/** @typedef {{promise: Promise<any>, resolve: (value: unknown) => void, reject: (error: unknown) => void}} Pending */

export class Readiness {
  /** @type {Pending | null} */
  #pending = null;
  /** @type {Promise<any> | null} */
  #settled = null;
  #hasFailed = false;
  /** Whether somebody knows of the refusal. */
  #isTold = false;

  /** Whether somebody waits for it. */
  get isAwaited() {
    return this.#pending !== null;
  }

  /** Created when it is asked for, so that a failure which nobody waits for is no unhandled rejection. */
  get promise() {
    if (this.#hasFailed) this.#isTold = true;
    return this.#settled ?? (this.#pending ??= createPending()).promise;
  }

  /** All states are known. @param {unknown} value */
  succeed(value) {
    this.#isTold = this.#hasFailed = false;
    if (this.#settled === null) this.#settled = Promise.resolve(value);
    this.#pending?.resolve(value);
    this.#pending = null;
  }

  /** The client ends before it has all states; without effect if it had them. @param {unknown} error */
  fail(error) {
    if (this.#settled !== null) return;
    this.#hasFailed = true;
    this.#settled = Promise.reject(error);
    this.#settled.catch(() => {});
    this.#pending?.reject(error);
    this.#pending = null;
  }

  /** Another attempt begins: wait again after a failure. */
  restart() {
    if (this.#hasFailed) this.#settled = null;
    this.#hasFailed = false;
  }

  /** A reader gets this error, so the console does not. @param {Error} error */
  told(error) {
    this.#isTold = true;
    return error;
  }

  /**
   * The gateway refused. If nobody learns of it, it is written to the console, once until there are states.
   *
   * @param {Error} error
   * @param {string} url the gateway
   * @param {() => boolean} isHeard whether there is a listener
   */
  refuse(error, url, isHeard) {
    if (this.isAwaited) this.#isTold = true;
    this.fail(error);
    // In a microtask, because a caller of connect() listens only after it has returned.
    queueMicrotask(() => {
      if (this.#isTold || isHeard()) return;
      this.#isTold = true;
      console.error(`pillowcast: ${url}: ${error.message}`);
    });
  }
}

/** @returns {Pending} */
function createPending() {
  /** @type {any} */
  const pending = {};
  pending.promise = new Promise((resolve, reject) => Object.assign(pending, { resolve, reject }));
  return pending;
}
