/**
 * The past states of a pillow as segments of time. Pure.
 *
 * Times are ms since 1970 on the gateway's clock.
 */

import { instant } from "../client/store.js";
import { SILENCE_MS } from "./seen_episodes.js";

/** What follows a state that was not reported again: the pillow slept, or nobody listened. */
export const SILENCE = "silence";
/** Number of states kept, about a day of an active pillow. */
export const MAX_STATES = 20_000;
const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;

/** @typedef {Pick<import("../client/frames.js").Pillow, "state" | "at" | "seq" | "since" | "motion">} State */
/** @typedef {{from: number, to: number}} Interval */
/** @typedef {Interval & {state: string}} Segment */
/**
 * A report of a state. `isHeard`: whether the page itself received it, so that it knows when the pillow fell
 * silent; of a recorded one that is told by the next report only.
 *
 * @typedef {{at: number, seq: number, state: string, key: string, isHeard: boolean, motion?: unknown}} Moment
 */

/**
 * When a state began: of `notconnected`, the gateway's `since`; of all others, `at`.
 *
 * @param {State} pillow
 */
function startOf(pillow) {
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

  /**
   * Add a state; they may come in any order, and again.
   *
   * @param {State} pillow
   * @param {boolean} [isHeard] see Moment
   */
  add(pillow, isHeard = true) {
    const at = startOf(pillow);
    const seq = pillow.seq ?? 0;
    const key = `${at} ${seq} ${pillow.state}`;
    if (Number.isNaN(at)) return;
    if (this.#keys.has(key)) return this.#addMotion(key, pillow.motion);
    this.#keys.add(key);
    const moment = { at, seq, state: pillow.state, key, isHeard, motion: pillow.motion };
    let index = this.#moments.length;
    while (index > 0 && isBefore(moment, this.#moments[index - 1])) index -= 1;
    this.#moments.splice(index, 0, moment);
    if (this.#moments.length > MAX_STATES) this.#keys.delete(this.#moments.shift()?.key);
  }

  /**
   * What began between two times, counted as the recorder counts it: reports of one state after the other are
   * one episode, and after a silence another one begins. Of the oldest known state the beginning is not known.
   *
   * @param {number} from which is not within
   * @param {number} to
   * @returns {{state: string, at: number}[]} in order
   */
  episodes(from, to) {
    /** @type {{state: string, at: number}[]} */
    const found = [];
    for (let index = Math.max(1, this.#indexAfter(from)); index < this.#moments.length; index += 1) {
      const { at, state } = this.#moments[index];
      if (at > to) break;
      const before = this.#moments[index - 1];
      const isContinued = before.state === state && at - before.at <= SILENCE_MS;
      if (!isContinued && state !== "notconnected") found.push({ state, at });
    }
    return found;
  }

  /** Samples may come behind their state. @param {string} key @param {unknown} motion */
  #addMotion(key, motion) {
    const moment = motion === undefined ? undefined : this.#moments.findLast((one) => one.key === key);
    if (moment !== undefined) moment.motion ??= motion;
  }

  /** When the oldest state began; NaN without one. */
  get start() {
    return this.#moments[0]?.at ?? NaN;
  }

  /** The state at a time, or SILENCE; null if it is unknown. @param {number} time */
  at(time) {
    const index = this.#indexAfter(time) - 1;
    const moment = this.#moments[index];
    if (moment === undefined || this.unknown(time, time + 1).length > 0) return null;
    return time < this.#silentFrom(index) ? moment : { ...moment, state: SILENCE, motion: undefined };
  }

  /** The index of the first state that began after a time: binary search. @param {number} time */
  #indexAfter(time) {
    let low = 0;
    let high = this.#moments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#moments[middle].at <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** From when on nothing is known of the state at an index, because it was not reported again. @param {number} index */
  #silentFrom(index) {
    const { at, state, isHeard } = this.#moments[index];
    const next = this.#moments[index + 1]?.at ?? Infinity;
    return isHeard || state === "notconnected" || next - at <= SILENCE_MS ? Infinity : at + SILENCE_MS;
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
   * The states between two times, and SILENCE; adjacent segments of one state are joined.
   *
   * @param {number} from
   * @param {number} to
   */
  segments(from, to) {
    /** @type {Segment[]} */
    const found = [];
    const gaps = this.unknown(from, to);
    const addKnown = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ state) => {
      for (const gap of gaps) {
        if (gap.to <= start || gap.from >= end) continue;
        appendSegment(found, start, gap.from, state);
        start = gap.to;
      }
      appendSegment(found, start, end, state);
    };
    // The state at the start began before it.
    for (let index = Math.max(0, this.#indexAfter(from) - 1); index < this.#moments.length; index += 1) {
      const { at, state } = this.#moments[index];
      if (at >= to) break;
      const end = Math.min(this.#moments[index + 1]?.at ?? to, to);
      const silentFrom = this.#silentFrom(index);
      addKnown(Math.max(at, from), Math.min(end, silentFrom), state);
      addKnown(Math.max(silentFrom, from), end, SILENCE);
    }
    return found;
  }
}

/**
 * Append a segment; it is joined with the last one if it continues that one's state, and left out if it is empty.
 *
 * @param {Segment[]} segments
 * @param {number} from
 * @param {number} to
 * @param {string} state
 */
export function appendSegment(segments, from, to, state) {
  if (to <= from) return;
  const last = segments.at(-1);
  if (last?.state === state && last.to === from) last.to = to;
  else segments.push({ from, to, state });
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
