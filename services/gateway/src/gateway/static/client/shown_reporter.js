/** Decides which states that were shown are reported to the gateway, and how. Pure. */

/** The least time between two reports in ms. */
export const REPORT_INTERVAL_MS = 1_000;

/** @typedef {import("./frames.js").Pillow} Pillow */

export class ShownReporter {
  #draw;
  #isAsked = false;
  #reportedAt = -Infinity;

  /** @param {number} draw a random number in [0, 1); 1 for a client that never reports */
  constructor(draw) {
    this.#draw = draw;
  }

  /** The gateway asks this share of its clients. @param {number | undefined} share absent if it asks none */
  ask(share) {
    this.#isAsked = this.#draw < (share ?? 0);
  }

  /**
   * The frame that reports one of these states; null if none is due.
   *
   * @param {Pillow[]} pillows states that are shown now
   * @param {number} shown the gateway's time in ms
   * @param {number} now monotonic time
   */
  report(pillows, shown, now) {
    if (!this.#isAsked || pillows.length === 0 || now - this.#reportedAt < REPORT_INTERVAL_MS) return null;
    this.#reportedAt = now;
    // One whose trace is recorded, if there is one.
    const { pillow, traceparent, hops } = pillows.find(({ traceparent }) => /[13579bdf]$/.test(traceparent ?? "")) ?? pillows[pillows.length - 1];
    const queued = Number.isSafeInteger(hops?.queued) ? hops?.queued : undefined;
    const parent = typeof traceparent === "string" && traceparent.length === 55 ? traceparent : undefined;
    return JSON.stringify({ type: "shown", pillow, shown: Math.round(shown), queued, traceparent: parent });
  }
}
