/** When wall mode is dim: the hours of the night on the visitor's clock. Pure. */

/** At night unless the address says other hours. */
export const NIGHT = { from: 22, to: 7 };
const DAY_HOURS = 24;
const HOURS = /^(\d{1,2})-(\d{1,2})$/;

/** @typedef {{from: number, to: number}} Hours from the beginning of one hour to the beginning of another */

/**
 * The hours that an option names.
 *
 * @param {string | null} option `22-7`; `off` for never, `on` for always; null and what cannot be understood
 *   is the usual night
 * @returns {Hours | null} null for never
 */
export function parseDim(option) {
  if (option === "off") return null;
  if (option === "on") return { from: 0, to: DAY_HOURS };
  const [, from, to] = HOURS.exec(option ?? "") ?? [];
  if (from === undefined || Number(from) > DAY_HOURS || Number(to) > DAY_HOURS || from === to) return NIGHT;
  return { from: Number(from), to: Number(to) };
}

/**
 * @param {Hours | null} hours
 * @param {Date} now
 */
export function isNight(hours, now) {
  if (hours === null) return false;
  const hour = now.getHours();
  const { from, to } = hours;
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}
