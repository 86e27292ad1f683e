/** The cells of a heat map: how often a pillow was hugged in each hour of some days. Pure. */

import { HOUR_MS } from "./calendar.js";

const HOURS = 24;
/** Shades of the map; 0 is no hug. */
export const LEVELS = 5;
/** Fewer hugs than this have no hours of their own. */
const MIN_HUGS = 3;
/** The share of the hugs of two hours above which the busier one of both is named alone. */
const ONE_HOUR_SHARE = 0.85;

/** @typedef {import("./activity.js").Step} Step */
/** @typedef {import("./calendar.js").Calendar} Calendar */

/**
 * What an hour was. `hugged`: hugs began or went on in it; `none`: the pillow was awake and not hugged;
 * `asleep`, `unheard`: it slept, or nobody listened, for most of it; `ahead`: it has not begun;
 * `missing`: the day has no such hour.
 *
 * @typedef {"hugged" | "none" | "asleep" | "unheard" | "ahead" | "missing"} CellKind
 */
/** `level`: from 0 to LEVELS. @typedef {{hour: number, from: number, to: number, kind: CellKind, hugs: number, ms: number, level: number}} Cell */
/** @typedef {{day: string, from: number, cells: Cell[]}} Row */

/**
 * @param {Step[]} steps of at most an hour each
 * @param {import("./calendar.js").Day[]} days
 * @param {Calendar} calendar
 * @returns {Row[]} the oldest day first
 */
export function heatRows(steps, days, calendar) {
  /** The steps of each hour that has begun: two steps of one hour where clocks are set back. @type {Map<string, Step[]>} */
  const byHour = new Map();
  for (const step of steps) {
    const key = `${calendar.day(step.from)} ${calendar.hour(step.from)}`;
    byHour.set(key, [...(byHour.get(key) ?? []), step]);
  }
  const end = steps.at(-1)?.to ?? -Infinity;
  const rows = days.map(({ day, from, to }) => {
    /** When each hour of the day begins. @type {Map<number, number>} */
    const starts = new Map();
    for (let at = from; at < to; at += HOUR_MS) if (!starts.has(calendar.hour(at))) starts.set(calendar.hour(at), at);
    const cells = Array.from({ length: HOURS }, (_, hour) => cellOf(hour, byHour.get(`${day} ${hour}`) ?? [], starts.get(hour), end));
    return { day, from, cells };
  });
  const most = Math.max(0, ...rows.flatMap(({ cells }) => cells.map(({ hugs }) => hugs)));
  for (const { cells } of rows) for (const cell of cells) cell.level = levelOf(cell, most);
  return rows;
}

/**
 * @param {number} hour
 * @param {Step[]} steps
 * @param {number | undefined} start undefined if the day has no such hour
 * @param {number} end until when there are steps
 * @returns {Cell}
 */
function cellOf(hour, steps, start, end) {
  const sum = (/** @type {(step: Step) => number} */ numberOf) => steps.reduce((total, step) => total + numberOf(step), 0);
  const hugs = sum(({ episodes }) => episodes.hugging ?? 0);
  const ms = sum((step) => step.ms.get("hugging") ?? 0);
  const from = steps[0]?.from ?? start ?? NaN;
  const cell = { hour, from, to: steps.at(-1)?.to ?? from + HOUR_MS, hugs, ms, level: 0 };
  return { ...cell, kind: cellKind(cell, steps, start, end) };
}

/**
 * @param {{hugs: number, ms: number}} cell
 * @param {Step[]} steps
 * @param {number | undefined} start
 * @param {number} end
 * @returns {CellKind}
 */
function cellKind({ hugs, ms }, steps, start, end) {
  if (hugs > 0 || ms > 0) return "hugged";
  if (start === undefined) return "missing";
  if (steps.length === 0) return start >= end ? "ahead" : "unheard";
  const asleep = steps.reduce((total, step) => total + step.asleepMs, 0);
  const unheard = steps.reduce((total, step) => total + step.unheardMs, 0);
  const all = steps.reduce((total, step) => total + step.to - step.from, 0);
  const awake = all - asleep - unheard;
  if (unheard >= asleep && unheard > awake) return "unheard";
  return asleep > awake ? "asleep" : "none";
}

/**
 * The shade of a cell. By the square root, so that one evening of many hugs leaves the others visible.
 *
 * @param {{kind: CellKind, hugs: number}} cell
 * @param {number} most
 */
function levelOf({ kind, hugs }, most) {
  if (kind !== "hugged") return 0;
  // A hug that only went on in the hour counts in the hour before.
  if (hugs === 0) return 1;
  return most <= LEVELS ? hugs : Math.max(1, Math.ceil(LEVELS * Math.sqrt(hugs / most)));
}

/**
 * The hugs of all rows. Those of today are at least as many as the page tells elsewhere, where the last row lacks one.
 *
 * @param {Row[]} rows
 * @param {number} hugsToday 0 if they are not known
 */
export function totalHugs(rows, hugsToday) {
  const sums = rows.map(({ cells }) => cells.reduce((sum, { hugs }) => sum + hugs, 0));
  return sums.reduce((sum, one) => sum + one, 0) + Math.max(0, hugsToday - (sums.at(-1) ?? 0));
}

/**
 * What a heat map of these steps depends on beside the gateway's answer: only the last two grow.
 *
 * @param {Step[]} steps
 * @param {number} hugsToday
 */
export function heatVersion(steps, hugsToday) {
  const newest = steps.slice(-2).map(({ from, ms, episodes }) => [from, episodes.hugging, Math.floor((ms.get("hugging") ?? 0) / 1000)]);
  return String([hugsToday, Math.floor((steps.at(-1)?.to ?? 0) / 60_000), ...newest]);
}

/**
 * The hours of the day in which a pillow was hugged most: one or two that follow each other; null if there
 * were too few hugs to tell.
 *
 * @param {Row[]} rows
 * @returns {{from: number, to: number} | null} hours of the day; `to` is from 1 to 24, or less
 *   than `from` if midnight is between
 */
export function busiestHours(rows) {
  const byHour = Array.from({ length: HOURS }, (_, hour) => rows.reduce((sum, { cells }) => sum + cells[hour].hugs, 0));
  const hugs = byHour.reduce((sum, one) => sum + one, 0);
  if (hugs < MIN_HUGS) return null;
  const pairs = byHour.map((count, hour) => count + byHour[(hour + 1) % HOURS]);
  const first = pairs.indexOf(Math.max(...pairs));
  const second = (first + 1) % HOURS;
  // As many hugs in each hour: no hour is named.
  if (Math.max(...byHour) * HOURS <= hugs * 1.5 && hugs > HOURS) return null;
  if (byHour[first] >= ONE_HOUR_SHARE * pairs[first]) return { from: first, to: first + 1 };
  if (byHour[second] >= ONE_HOUR_SHARE * pairs[first]) return { from: second, to: second + 1 };
  return { from: first, to: second + 1 };
}
