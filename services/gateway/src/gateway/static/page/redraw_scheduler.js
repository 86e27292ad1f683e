/** Schedules redraws: at most one a frame, and at a minimum interval if the page is crowded. */

/**
 * @typedef {object} FrameTimers what a test replaces
 * @property {(callback: () => void) => void} requestFrame calls back before the next frame is painted
 * @property {(callback: () => void, ms?: number) => void} setTimeout
 * @property {() => number} now monotonic time in ms
 */

export class RedrawScheduler {
  #timers;
  #isPending = false;
  #drawnAt = -Infinity;

  /** @param {FrameTimers} timers */
  constructor(timers) {
    this.#timers = timers;
  }

  /** Monotonic time in ms. */
  now() {
    return this.#timers.now();
  }

  /** The next redraw is not delayed by an earlier one. */
  skipInterval() {
    this.#drawnAt = -Infinity;
  }

  /**
   * Call back in one of the next frames; without effect while a redraw is pending.
   *
   * @param {() => void} draw
   * @param {number} intervalMs minimum time since the last redraw
   */
  request(draw, intervalMs) {
    if (this.#isPending) return;
    this.#isPending = true;
    const drawInFrame = () => {
      this.#isPending = false;
      this.#drawnAt = this.#timers.now();
      draw();
    };
    const wait = intervalMs > 0 ? this.#drawnAt + intervalMs - this.#timers.now() : 0;
    if (wait > 0) this.#timers.setTimeout(() => this.#timers.requestFrame(drawInFrame), wait);
    else this.#timers.requestFrame(drawInFrame);
  }

  /** Call back after the current frame was painted. @param {() => void} callback */
  afterFrame(callback) {
    this.#timers.setTimeout(callback);
  }
}
