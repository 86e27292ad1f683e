/** Stands for the latency panel until it is loaded, which is when there is a first latency to show. */

import { Later } from "./lazy.js";

/** @typedef {import("../client/latency.js").Journey} Journey */
/** @typedef {Pick<import("./latency_panel.js").LatencyPanel, "add" | "render">} Panel */

/** Latencies that are kept while the panel is loading; more of them would not change its statistics. */
const MAX_WAITING = 500;

export class LatencyLater {
  /** @type {Later<Panel>} */
  #later;
  /** @type {[string, Journey][]} */
  #waiting = [];

  /**
   * @param {() => Promise<Panel>} load
   * @param {() => number} now monotonic, in ms
   */
  constructor(load, now) {
    this.#later = new Later("latency", load, now);
  }

  /** Add the latency of one update of a pillow. @param {string} id @param {Journey} journey */
  add(id, journey) {
    if (this.#later.part !== null) {
      this.#later.part.add(id, journey);
      return;
    }
    this.#waiting.push([id, journey]);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    this.#later.need((panel) => {
      for (const one of this.#waiting.splice(0)) panel.add(...one);
    });
  }

  /** Show the latencies. @param {Parameters<Panel["render"]>[0]} client */
  render(client) {
    this.#later.part?.render(client);
  }
}
