/**
 * The past states of a pillow as segments of time. Pure.
 *
 * Times are ms since 1970 on the gateway's clock.
 */

import { instant } from "../client/store.js";

/** Number of states kept, about a day of an active pillow. */
export const MAX_STATES = 20_000;
const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;

/** @typedef {Pick<import("../client/frames.js").Pillow, "state" | "at" | "seq" | "since">} State */
/** @typedef {{from: number, to: number}} Interval */
/** @typedef {Interval & {state: string}} Segment */
/** @typedef {{at: number, seq: number, state: string, key: string}} Moment the start of a state */

/**
 * When a state began: of `notconnected`, the gateway's `since`; of all others, `at`.
 *
 * @param {State} pillow
 */
export function startOf(pillow) {
  const since = pillow.state === "notconnected" ? instant(pillow.since) : NaN;
  return Number.isNaN(since) ? instant(pillow.at) : since;
}

export class Timeline {
  /** In order of time. @type {Moment[]} */
  #moments = [];
  #keys = new Set();
  #gaps;

  /** @param {Interval[]} [gaps] when no states could be received; the caller may add to them */
  constructor(gaps = []) {
    this.#gaps = gaps;
  }

  /** Add a state; they may come in any order, and again. @param {State} pillow */
  add(pillow) {
    const at = startOf(pillow);
    const seq = pillow.seq ?? 0;
    const key = `${at} ${seq} ${pillow.state}`;
    if (Number.isNaN(at) || this.#keys.has(key)) return;
    this.#keys.add(key);
    const moment = { at, seq, state: pillow.state, key };
    let index = this.#moments.length;
    while (index > 0 && isBefore(moment, this.#moments[index - 1])) index -= 1;
    this.#moments.splice(index, 0, moment);
    if (this.#moments.length > MAX_STATES) this.#keys.delete(this.#moments.shift()?.key);
  }

  /** When the oldest state began; NaN without one. */
  get start() {
    return this.#moments[0]?.at ?? NaN;
  }

  /** The state at a time; null if it is unknown. @param {number} time */
  at(time) {
    let low = 0;
    let high = this.#moments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#moments[middle].at <= time) low = middle + 1;
      else high = middle;
    }
    const isUnknown = this.unknown(time, time + 1).length > 0;
    return isUnknown ? null : (this.#moments[low - 1] ?? null);
  }

  /**
   * When the state is unknown: in each gap, up to the first state in it that was received later.
   *
   * @param {number} from
   * @param {number} to
   * @returns {Interval[]} in order
   */
  unknown(from, to) {
    const found = [];
    for (const gap of this.#gaps) {
      const late = this.#moments.find(({ at }) => at >= gap.from);
      const start = Math.max(gap.from, from);
      const end = Math.min(gap.to, to, late?.at ?? Infinity);
      if (end > start) found.push({ from: start, to: end });
    }
    return found;
  }

  /**
   * The states between two times; adjacent segments of one state are joined.
   *
   * @param {number} from
   * @param {number} to
   */
  segments(from, to) {
    /** @type {Segment[]} */
    const found = [];
    const gaps = this.unknown(from, to);
    const add = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ state) => {
      if (end <= start) return;
      const last = found.at(-1);
      if (last?.state === state && last.to === start) last.to = end;
      else found.push({ from: start, to: end, state });
    };
    for (const [index, { at, state }] of this.#moments.entries()) {
      const end = Math.min(this.#moments[index + 1]?.at ?? to, to);
      let start = Math.max(at, from);
      for (const gap of gaps) {
        if (gap.to <= start || gap.from >= end) continue;
        add(start, gap.from, state);
        start = gap.to;
      }
      add(start, end, state);
    }
    return found;
  }
}

/** How long each state lasted in total, the longest first. @param {Segment[]} segments */
export function totalByState(segments) {
  /** @type {Map<string, number>} */
  const totals = new Map();
  for (const { from, to, state } of segments) totals.set(state, (totals.get(state) ?? 0) + to - from);
  return [...totals].sort(([, one], [, other]) => other - one);
}

/**
 * @param {Moment} one
 * @param {Moment} other
 */
function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.seq < other.seq);
}

const TICK_INTERVALS = [5_000, 10_000, 15_000, 30_000, MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS, 120 * MINUTE_MS, 360 * MINUTE_MS, DAY_MS];

/**
 * Round times for the labels of a time axis.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} most number of intervals at most
 * @param {number} zoneOffset local time minus UTC in ms
 */
export function ticks(from, to, most, zoneOffset = 0) {
  const step = TICK_INTERVALS.find((one) => (to - from) / one <= most) ?? Math.ceil((to - from) / most / DAY_MS) * DAY_MS;
  const found = [];
  for (let at = Math.ceil((from + zoneOffset) / step) * step - zoneOffset; at <= to; at += step) found.push(at);
  return found;
}
