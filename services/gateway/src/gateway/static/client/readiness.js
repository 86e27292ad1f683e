/**
 * Whether a client has all states. A refusal rejects the promise of those who wait, and is written to the
 * console if nobody learns of it otherwise.
 */

/** @typedef {{promise: Promise<any>, resolve: (value: unknown) => void, reject: (error: unknown) => void}} Pending */

export class Readiness {
  /** @type {Pending | null} */
  #pending = null;
  /** @type {Promise<any> | null} */
  #settled = null;
  #hasFailed = false;
  /** Whether the program has learned of the refusal. */
  #isReported = false;

  /** Whether somebody waits for the states. */
  get isAwaited() {
    return this.#pending !== null;
  }

  /** Created at the first read, because a failure that nobody waits for must be no unhandled rejection. */
  get promise() {
    if (this.#hasFailed) this.#isReported = true;
    return this.#settled ?? (this.#pending ??= createPending()).promise;
  }

  /** All states are known. @param {unknown} value */
  succeed(value) {
    this.#isReported = this.#hasFailed = false;
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

  /** A loop receives this error, so it is not written to the console. @param {Error} error */
  reported(error) {
    this.#isReported = true;
    return error;
  }

  /**
   * The gateway refused. If the program does not learn of it, the console has it, once until there are states.
   *
   * @param {Error} error
   * @param {string} url the gateway
   * @param {() => boolean} hasListener whether a listener receives the refusal
   */
  refuse(error, url, hasListener) {
    if (this.isAwaited) this.#isReported = true;
    this.fail(error);
    // In a microtask, because a caller of connect() listens only after it has returned.
    queueMicrotask(() => {
      if (this.#isReported || hasListener()) return;
      this.#isReported = true;
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
