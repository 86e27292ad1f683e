/** Loads the tools of the page when it is live for the first time and has nothing else to do. */

/** A browser that is never idle waits for this time. */
const MAX_WAIT_MS = 3000;
/** A browser without `requestIdleCallback` waits for this time. */
const DELAY_MS = 1_000;

export class ExtrasLater {
  #window;
  #load;
  #hasBegun = false;

  /**
   * @param {Pick<Window, "setTimeout"> & {requestIdleCallback?: Window["requestIdleCallback"]}} window
   * @param {() => Promise<void>} load loads and starts the tools
   */
  constructor(window, load) {
    this.#window = window;
    this.#load = load;
  }

  /** Listen to the connection; after a failure the tools are loaded again with the next one. @param {{connection: string}} detail */
  onConnection({ connection }) {
    if (connection !== "live" || this.#hasBegun) return;
    this.#hasBegun = true;
    const start = () =>
      this.#load().catch((error) => {
        this.#hasBegun = false;
        console.warn(`The tools of the page could not be loaded: ${error.message}`);
      });
    if (this.#window.requestIdleCallback) this.#window.requestIdleCallback(start, { timeout: MAX_WAIT_MS });
    else this.#window.setTimeout(start, DELAY_MS);
  }
}
