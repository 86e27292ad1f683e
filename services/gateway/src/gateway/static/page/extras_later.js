/** Loads the tools of the page when it is live for the first time and has nothing else to do. */

/** A browser that is never idle waits for this time. */
const MAX_WAIT_MS = 3000;
/** A browser without `requestIdleCallback` waits for this time. */
const DELAY_MS = 1_000;
/** What could not be loaded is loaded again after this time, or when the page is live anew before. */
const RETRY_MS = 30_000;

export class ExtrasLater {
  #window;
  #load;
  #start;
  /** @type {number | undefined} */
  #retry;
  #hasBegun = false;
  #isLive = false;

  /**
   * @param {Pick<Window, "setTimeout" | "clearTimeout"> & {requestIdleCallback?: Window["requestIdleCallback"]}} window
   * @param {() => Promise<any>} load loads the tools
   * @param {(part: any) => void} start starts what was loaded; it is called once
   */
  constructor(window, load, start) {
    this.#window = window;
    this.#load = load;
    this.#start = start;
  }

  /** Listen to the connection. @param {{connection: string}} detail */
  onConnection({ connection }) {
    this.#isLive = connection === "live";
    this.#begin();
  }

  #begin() {
    if (!this.#isLive || this.#hasBegun) return;
    this.#hasBegun = true;
    this.#window.clearTimeout(this.#retry);
    const start = () =>
      this.#load().then(this.#start, (error) => {
        this.#hasBegun = false;
        console.warn(`The tools of the page could not be loaded: ${error.message}`);
        this.#retry = this.#window.setTimeout(() => this.#begin(), RETRY_MS);
      });
    if (this.#window.requestIdleCallback) this.#window.requestIdleCallback(start, { timeout: MAX_WAIT_MS });
    else this.#window.setTimeout(start, DELAY_MS);
  }
}
