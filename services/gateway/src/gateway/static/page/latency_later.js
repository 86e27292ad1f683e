/** Stands for the latency panel until it is loaded, which is when there is a first latency to show. */

/** @typedef {import("../client/latency.js").Journey} Journey */
/** @typedef {Pick<import("./latency_panel.js").LatencyPanel, "add" | "render">} Panel */

/** Latencies that are kept while the panel is loading; more of them would not change its statistics. */
const MAX_WAITING = 500;
/** A panel that could not be loaded is loaded again with a latency after this time. */
const RETRY_MS = 30_000;

export class LatencyLater {
  #load;
  #now;
  /** @type {Panel | null} */
  #panel = null;
  /** @type {[string, Journey][]} */
  #waiting = [];
  #loadAgainAt = -Infinity;

  /**
   * @param {() => Promise<Panel>} load
   * @param {() => number} now monotonic, in ms
   */
  constructor(load, now) {
    this.#load = load;
    this.#now = now;
  }

  /** Add the latency of one update of a pillow. @param {string} id @param {Journey} journey */
  add(id, journey) {
    if (this.#panel !== null) {
      this.#panel.add(id, journey);
      return;
    }
    this.#waiting.push([id, journey]);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    if (this.#now() < this.#loadAgainAt) return;
    this.#loadAgainAt = Infinity;
    this.#load().then(
      (panel) => {
        for (const one of this.#waiting.splice(0)) panel.add(...one);
        this.#panel = panel;
      },
      (error) => {
        this.#loadAgainAt = this.#now() + RETRY_MS;
        console.warn(`The latency panel could not be loaded: ${error.message}`);
      },
    );
  }

  /** Show the latencies. @param {Parameters<Panel["render"]>[0]} client */
  render(client) {
    this.#panel?.render(client);
  }
}
