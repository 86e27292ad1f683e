/**
 * The clock of a replay: which past time is shown, and how it moves. Pure.
 *
 * Times are ms since 1970; `elapsed` is real time. A time of which nothing is known, and one in which the
 * pillow slept, is passed within SKIP_MS, however long it is.
 */

/** How long a part takes at most in which nothing happens. */
export const SKIP_MS = 800;
/** An elapsed time above this is a page that stood still, which the replay does, too. */
const MAX_ELAPSED_MS = 250;

/** @typedef {import("./timeline.js").Interval} Interval */

export class ReplayClock {
  /** The time that is shown; null for now. @type {number | null} */
  position = null;
  isPlaying = false;
  /** How much of the past passes in the time. */
  speed = 1;

  /** Show a time; null for now, which ends the replay. @param {number | null} time */
  seek(time) {
    this.position = time;
    if (time === null) this.isPlaying = false;
  }

  /**
   * Play from the position; from the start of the range if that is now, or at its end.
   *
   * @param {Interval} range
   */
  play({ from, to }) {
    if (this.position === null || this.position >= to || this.position < from) this.position = from;
    this.isPlaying = true;
  }

  pause() {
    this.isPlaying = false;
  }

  /**
   * Move on, if it plays.
   *
   * @param {number} elapsed
   * @param {Interval} range the replay stops at its end
   * @param {Interval[]} [skips] in order, without overlaps
   * @returns {boolean} whether it has arrived at the end
   */
  advance(elapsed, { from, to }, skips = []) {
    if (!this.isPlaying || this.position === null) return false;
    let left = Math.min(elapsed, MAX_ELAPSED_MS);
    let position = Math.max(this.position, from);
    while (left > 0 && position < to) {
      const skip = skips.find((one) => one.to > position);
      const isWithin = skip !== undefined && skip.from <= position;
      const next = Math.min(to, (isWithin ? skip.to : skip?.from) ?? to);
      const rate = isWithin ? Math.max(this.speed, (skip.to - skip.from) / SKIP_MS) : this.speed;
      const step = Math.min(left, (next - position) / rate);
      left -= step;
      // The end of a part is met exactly: a rounding error would never leave it.
      position = step * rate + position >= next - 0.01 ? next : position + step * rate;
      if (step === 0 && position < next) break;
    }
    this.position = Math.min(position, to);
    if (this.position < to) return false;
    this.isPlaying = false;
    return true;
  }
}
