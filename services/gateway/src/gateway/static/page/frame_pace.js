/** Draws fewer clouds in detail on a device that cannot keep up. */

import { MAX_DETAILED, WALL_SIZES } from "./layout.js";

/** Up to how many clouds are drawn in detail, from a fast device to a slow one. */
export const DETAIL_STEPS = [MAX_DETAILED, 12, 6, WALL_SIZES[0].maxClouds];
/** A frame that takes longer is seen as a stutter. */
const SLOW_MS = 34;
/** So many slow samples in a row are no accident, as one is while a page is loading. */
const SLOW_SAMPLES = 2;
/** After this time more detail is tried again, each time after twice as long. */
const RETRY_MS = 600_000;

/**
 * Decides up to how many clouds are drawn in detail. Pure. Plain clouds are fast on any device, so fast
 * frames alone say nothing: more detail is tried again after a while, and ever more rarely.
 */
export class DetailLimit {
  #steps;
  #step = 0;
  #slow = 0;
  #retryAt = Infinity;
  #retryMs = RETRY_MS;

  /** @param {readonly number[]} steps numbers of clouds, from the largest */
  constructor(steps) {
    this.#steps = steps;
  }

  /** Up to this number of clouds each is drawn in detail. */
  get clouds() {
    return this.#steps[this.#step];
  }

  /** Whether the last sample was slow, so that the next one decides. */
  get isSuspicious() {
    return this.#slow > 0;
  }

  /**
   * @param {number} frameMs time of a frame, the middle one of a sample
   * @param {number} count number of clouds
   * @param {number} now monotonic time in ms
   */
  add(frameMs, count, now) {
    const isDetailed = count <= this.clouds;
    this.#slow = isDetailed && frameMs > SLOW_MS ? this.#slow + 1 : 0;
    if (this.#slow >= SLOW_SAMPLES) this.#lower(count, now);
    else if (!isDetailed && now >= this.#retryAt && frameMs <= SLOW_MS) this.#raise(count);
  }

  /** @param {number} count @param {number} now */
  #lower(count, now) {
    this.#slow = 0;
    const step = this.#steps.findIndex((clouds) => clouds < count);
    if (step === -1) return;
    this.#step = step;
    this.#retryAt = now + this.#retryMs;
    this.#retryMs *= 2;
  }

  /** @param {number} count */
  #raise(count) {
    this.#retryAt = Infinity;
    this.#step = Math.max(0, this.#steps.findLastIndex((clouds) => clouds >= count));
  }
}

/** The middle of the times between frames. Pure. @param {number[]} times */
export function middleFrameMs(times) {
  const frames = times.slice(1).map((time, index) => time - times[index]).sort((one, other) => one - other);
  return frames[frames.length >> 1] ?? 0;
}

const FRAMES = 30;
/** A slow device gives fewer frames for a sample. */
const SAMPLE_MS = 1_500;
const FIRST_MS = 3_000;
const INTERVAL_MS = 15_000;
/** A slow sample is repeated so soon. */
const AGAIN_MS = 1_000;

/**
 * Measure frames now and then, while something moves.
 *
 * @param {Window} window
 * @param {() => number} countOf the number of clouds on the wall; 0 while it is not shown
 * @param {DetailLimit} limit
 * @param {(clouds: number) => void} onChange
 */
export function watchFrames(window, countOf, limit, onChange) {
  const { document } = window;
  // A page at rest is drawn as rarely as it likes.
  const isMoving = () => !document.hidden && countOf() > 0 && document.getAnimations().length > 0;
  const begin = () => isMoving() && sample([]);
  const sample = (/** @type {number[]} */ times) =>
    window.requestAnimationFrame((time) => {
      times.push(time);
      if (times.length < FRAMES && time - times[0] < SAMPLE_MS) sample(times);
      else if (isMoving()) finish(middleFrameMs(times), time);
    });
  const finish = (/** @type {number} */ frameMs, /** @type {number} */ now) => {
    const before = limit.clouds;
    limit.add(frameMs, countOf(), now);
    if (limit.clouds !== before) onChange(limit.clouds);
    else if (limit.isSuspicious) window.setTimeout(begin, AGAIN_MS);
  };
  window.setTimeout(begin, FIRST_MS);
  window.setInterval(begin, INTERVAL_MS);
}
