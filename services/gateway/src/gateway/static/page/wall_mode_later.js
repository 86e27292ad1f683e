/** Stands for wall mode until it is loaded, which is when the address asks for it. */

/** A wall that could not be loaded is loaded again after this time: nobody is there to do it. */
const RETRY_MS = 10_000;

/** @typedef {Pick<import("./wall_mode.js").WallMode, "set">} Mode */

export class WallModeLater {
  #body;
  #load;
  #retryLater;
  /** Whether it was loaded or is being loaded. */
  #isUsed = false;
  /** @type {string | undefined} */
  #options;
  /** Whether the address has not been looked at yet. */
  #isFirst = true;

  /**
   * @param {HTMLElement} body
   * @param {() => Promise<Mode>} load
   * @param {(callback: () => void, ms: number) => void} retryLater
   */
  constructor(body, load, retryLater) {
    this.#body = body;
    this.#load = load;
    this.#retryLater = retryLater;
  }

  /** @param {string | undefined} options of wall mode in the address; undefined without it */
  set(options) {
    const isFromPage = !this.#isFirst && this.#options === undefined;
    this.#isFirst = false;
    this.#options = options;
    // Style sheets hide the tools at once.
    if (options === undefined) delete this.#body.dataset.wall;
    else this.#body.dataset.wall = "";
    if (options !== undefined || this.#isUsed) this.#pass(isFromPage);
  }

  /** @param {boolean} isFromPage */
  #pass(isFromPage) {
    this.#isUsed = true;
    this.#load().then(
      (mode) => mode.set(this.#options, isFromPage),
      (error) => {
        console.warn(`Wall mode could not be loaded: ${error.message}`);
        this.#retryLater(() => this.#pass(isFromPage), RETRY_MS);
      },
    );
  }
}
