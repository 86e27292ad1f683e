/**
 * What a pillow did in each step of a time, as the gateway counts it. Pure.
 *
 * Times are ms since 1970.
 */

import { instant } from "../client/store.js";

/** The states that are gestures: what somebody does with a pillow. */
export const GESTURES = ["hugging", "punching", "shaking", "spinning", "throwing"];
/** What a time is named by in which no state of a pillow is known. */
export const EMPTY_KINDS = ["asleep", "unheard", "unknown"];

/** A step of the gateway's answer. @typedef {{at: string, seconds: Record<string, number>, episodes: Record<string, number>, asleep_s: number, unheard_s: number}} AnsweredStep */
/** @typedef {{from: string, to: string, step_s: number, source: string, steps: AnsweredStep[]}} Answer */

/**
 * What a pillow did from `from` until `to`. `ms`: how long it was in each state.
 *
 * @typedef {object} Step
 * @property {number} from
 * @property {number} to
 * @property {Map<string, number>} ms
 * @property {Record<string, number>} episodes that began in it
 * @property {number} asleepMs
 * @property {number} unheardMs how long nobody listened
 */

/** What a time was, if it is named by one word: a state, `asleep`, `unheard`, or `unknown`. @typedef {string} Kind */

/** @param {Answer} answer @returns {Step[]} */
export function stepsOf({ to, step_s, steps }) {
  const end = instant(to);
  return steps.map(({ at, seconds, episodes, asleep_s, unheard_s }) => {
    const from = instant(at);
    const ms = new Map(Object.entries(seconds).map(([state, s]) => [state, s * 1000]));
    return { from, to: Math.min(from + step_s * 1000, end), ms, episodes, asleepMs: asleep_s * 1000, unheardMs: unheard_s * 1000 };
  });
}

/**
 * The step at a time: binary search.
 *
 * @param {Step[]} steps
 * @param {number} time
 */
export function stepAt(steps, time) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle].to <= time) low = middle + 1;
    else high = middle;
  }
  const step = steps[low];
  return step !== undefined && step.from <= time ? step : undefined;
}

/** How long somebody did something with the pillow. @param {Step} step */
export function gestureMs({ ms }) {
  return GESTURES.reduce((sum, state) => sum + (ms.get(state) ?? 0), 0);
}

/**
 * What a step is named by: its longest gesture; without one, what it was for most of the time.
 *
 * @param {Step} step
 * @returns {Kind}
 */
export function kindOf(step) {
  const gestures = GESTURES.filter((state) => (step.ms.get(state) ?? 0) > 0 || (step.episodes[state] ?? 0) > 0);
  if (gestures.length > 0) return gestures.reduce((longest, state) => ((step.ms.get(state) ?? 0) > (step.ms.get(longest) ?? 0) ? state : longest));
  const awakeMs = [...step.ms.values()].reduce((sum, one) => sum + one, 0);
  const { asleepMs, unheardMs } = step;
  const most = Math.max(awakeMs, asleepMs, unheardMs);
  if (most <= 0) return "unknown";
  if (most === unheardMs) return "unheard";
  return most === asleepMs ? "asleep" : "neutral";
}

/**
 * How long it was in each state, asleep, and unheard, the longest first.
 *
 * @param {Step[]} steps
 * @returns {[Kind, number][]}
 */
export function totals(steps) {
  /** @type {Map<string, number>} */
  const found = new Map();
  const add = (/** @type {string} */ kind, /** @type {number} */ ms) => ms > 0 && found.set(kind, (found.get(kind) ?? 0) + ms);
  for (const { ms, asleepMs, unheardMs } of steps) {
    for (const [state, one] of ms) add(state, one);
    add("asleep", asleepMs);
    add("unheard", unheardMs);
  }
  return [...found].sort(([, one], [, other]) => other - one);
}

/**
 * The times in which a pillow slept or nobody listened for most of a step, joined.
 *
 * @param {Step[]} steps
 * @returns {import("./timeline.js").Interval[]}
 */
export function emptyTimes(steps) {
  /** @type {import("./timeline.js").Interval[]} */
  const found = [];
  for (const step of steps) {
    if (!EMPTY_KINDS.includes(kindOf(step))) continue;
    const last = found.at(-1);
    if (last?.to === step.from) last.to = step.to;
    else found.push({ from: step.from, to: step.to });
  }
  return found;
}

/**
 * The episodes of a state that began in a time.
 *
 * @param {Step[]} steps
 * @param {string} state
 * @param {number} from
 * @param {number} to
 */
export function episodesBetween(steps, state, from, to) {
  return steps.reduce((sum, step) => (step.from >= from && step.from < to ? sum + (step.episodes[state] ?? 0) : sum), 0);
}
