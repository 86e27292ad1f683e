/** How far back the strip of a pillow's past reaches, and how finely. Pure. */

import { HOUR_MS } from "./calendar.js";

const MINUTE_MS = 60_000;

/**
 * @typedef {object} Span
 * @property {string} name
 * @property {number} ms length; that of whole days is given by the calendar
 * @property {number} days whole days until now; 0 for a span that ends now and begins `ms` before
 * @property {number} stepMs length of a column; 0 if each state is drawn
 * @property {number[]} speeds of a replay; the first one is the default
 */

/** @type {readonly Span[]} */
export const SPANS = [
  { name: "2min", ms: 2 * MINUTE_MS, days: 0, stepMs: 0, speeds: [4, 0.25, 1, 15, 60] },
  { name: "10min", ms: 10 * MINUTE_MS, days: 0, stepMs: 0, speeds: [15, 0.25, 1, 4, 60] },
  { name: "1h", ms: HOUR_MS, days: 0, stepMs: 0, speeds: [60, 0.25, 1, 4, 15] },
  { name: "24h", ms: 24 * HOUR_MS, days: 0, stepMs: 5 * MINUTE_MS, speeds: [3600, 60, 600, 1800] },
  { name: "7d", ms: 7 * 24 * HOUR_MS, days: 7, stepMs: HOUR_MS, speeds: [21_600, 3600, 10_800, 86_400] },
  { name: "30d", ms: 30 * 24 * HOUR_MS, days: 30, stepMs: HOUR_MS, speeds: [86_400, 21_600, 43_200, 172_800] },
];

/** The span of a time that was looked at closer. @type {Span} */
export const CLOSE_UP = { name: "close", ms: HOUR_MS, days: 0, stepMs: 0, speeds: [60, 0.25, 1, 4, 15] };

/** The length of an activity's step for a span whose states are drawn one by one. */
export const FINE_STEP_MS = MINUTE_MS;

/** @param {string} name */
export const spanOf = (name) => SPANS.find((span) => span.name === name) ?? SPANS[1];

/**
 * From when until when a span is, if it ends now.
 *
 * @param {Span} span
 * @param {number} now
 * @param {import("./calendar.js").Calendar} calendar
 * @returns {import("./timeline.js").Interval}
 */
export function intervalOf({ ms, days }, now, calendar) {
  return { from: days > 0 ? calendar.lastDays(now, days)[0].from : now - ms, to: now };
}

/**
 * The hour around a time, whole within the hour of the clock if it is not the current one.
 *
 * @param {number} time
 * @param {number} now
 */
export function closeUpOf(time, now) {
  const to = Math.min(now, Math.max(time, Math.ceil(time / (HOUR_MS / 2)) * (HOUR_MS / 2) + HOUR_MS / 2));
  return { from: to - HOUR_MS, to };
}
