/**
 * A pillow's last states as stretches of time; pure.
 *
 * Times are ms since 1970 on the gateway's clock.
 */

import { instant } from "../client/store.js";

/** How many states are kept: a day of a lively pillow. */
export const KEPT = 20_000;
const MINUTE = 60_000;

/** @typedef {{from: number, to: number, state: string}} Stretch */

/** When a state began: of a silent pillow the gateway says since when, all others say when they were so. */
export function beganAt(pillow) {
  const since = pillow.state === "notconnected" ? instant(pillow.since) : NaN;
  return Number.isNaN(since) ? instant(pillow.at) : since;
}

export class Timeline {
  #moments = [];
  #keys = new Set();
  #gaps;

  /** @param {{from: number, to: number}[]} [gaps] when nothing could be heard; the caller adds to them */
  constructor(gaps = []) {
    this.#gaps = gaps;
  }

  /** Take in a state; one that is known changes nothing. Whatever order they come in. */
  add(pillow) {
    const at = beganAt(pillow);
    const key = `${at} ${pillow.seq ?? 0} ${pillow.state}`;
    if (Number.isNaN(at) || this.#keys.has(key)) return;
    this.#keys.add(key);
    const moment = { at, seq: pillow.seq ?? 0, state: pillow.state, key };
    let place = this.#moments.length;
    while (place > 0 && isBefore(moment, this.#moments[place - 1])) place -= 1;
    this.#moments.splice(place, 0, moment);
    if (this.#moments.length > KEPT) this.#keys.delete(this.#moments.shift().key);
  }

  /** When the first state known began; NaN while there is none. */
  get begin() {
    return this.#moments[0]?.at ?? NaN;
  }

  /** What it was doing at a time; null when that is not known. */
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
   * When between two times it is not known what it did: in a gap, until the first state of which
   * the news came late.
   *
   * @returns {{from: number, to: number}[]} in order
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

  /** @returns {Stretch[]} what it did from one time to another, equal neighbours joined */
  stretches(from, to) {
    const found = [];
    const gaps = this.unknown(from, to);
    const add = (start, end, state) => {
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

/** How long each state lasted in all, the longest first. @param {Stretch[]} stretches */
export function totals(stretches) {
  const sums = new Map();
  for (const { from, to, state } of stretches) sums.set(state, (sums.get(state) ?? 0) + to - from);
  return [...sums].sort(([, one], [, other]) => other - one);
}

function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.seq < other.seq);
}

const STEPS = [5_000, 10_000, 15_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 120 * MINUTE, 360 * MINUTE, 1440 * MINUTE];

/**
 * Times to write under a strip: round ones, at most so many.
 *
 * @param {number} zone ms that local time is ahead of UTC
 */
export function ticks(from, to, most, zone = 0) {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? Math.ceil((to - from) / most / STEPS.at(-1)) * STEPS.at(-1);
  const found = [];
  for (let at = Math.ceil((from + zone) / step) * step - zone; at <= to; at += step) found.push(at);
  return found;
}
