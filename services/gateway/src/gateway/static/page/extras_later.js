/** Loads the tools of the page when it is live for the first time and has nothing else to do. */

/** A browser that is never idle waits for this time. */
const MAX_WAIT_MS = 3000;
/** A browser without `requestIdleCallback` waits for this time. */
const DELAY_MS = 1_000;
/** What could not be loaded is loaded again when the page is live anew, or after this time. */
const RETRY_MS = 30_000;

export class ExtrasLater {
  #window;
  #load;
  #hasBegun = false;
  #isLive = false;

  /**
   * @param {Pick<Window, "setTimeout"> & {requestIdleCallback?: Window["requestIdleCallback"]}} window
   * @param {() => Promise<void>} load loads and starts the tools
   */
  constructor(window, load) {
    this.#window = window;
    this.#load = load;
  }

  /** Listen to the connection. @param {{connection: string}} detail */
  onConnection({ connection }) {
    this.#isLive = connection === "live";
    this.#begin();
  }

  #begin() {
    if (!this.#isLive || this.#hasBegun) return;
    this.#hasBegun = true;
    const start = () =>
      this.#load().catch((error) => {
        this.#hasBegun = false;
        console.warn(`The tools of the page could not be loaded: ${error.message}`);
        this.#window.setTimeout(() => this.#begin(), RETRY_MS);
      });
    if (this.#window.requestIdleCallback) this.#window.requestIdleCallback(start, { timeout: MAX_WAIT_MS });
    else this.#window.setTimeout(start, DELAY_MS);
  }
}
