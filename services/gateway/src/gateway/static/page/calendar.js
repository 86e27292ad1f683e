/**
 * The days and hours of a time zone, also where clocks are set. Pure.
 *
 * Times are ms since 1970.
 */

export const HOUR_MS = 3_600_000;
/** The longest time from the start of a day to any moment of it: a day has 25 hours at most. */
const LONGEST_DAY_MS = 26 * HOUR_MS;

/** Clocks of all zones differ by whole quarters of an hour, so a date or an hour begins with one. */
const QUARTER_MS = 900_000;
/** Dates and hours that are kept: the hours of 30 days are 720. */
const MAX_QUARTERS_KEPT = 4_000;
/** What a browser calls the zone of a machine whose own it does not understand; it then takes UTC, but formats no time for that name. */
const NO_ZONE = "Etc/Unknown";

/** Lists of days that are kept. */
const MAX_DAYS_KEPT = 16;

/** A calendar day: `from` is its first moment, `to` the first one of the next day. @typedef {{day: string, from: number, to: number}} Day */

export class Calendar {
  /** The IANA name of the zone. */
  zone;
  #format;
  /** The dates and hours that were asked for, by the quarter of an hour. @type {Map<number, Record<string, string>>} */
  #known = new Map();
  /** The last days that were asked for, by the date and the number: a page asks with every frame. @type {Map<string, Day[]>} */
  #days = new Map();
  /** Start of the days that were asked for. @type {Map<string, number>} */
  #starts = new Map();

  /** @param {string} [zone] an IANA name; the machine's own by default */
  constructor(zone) {
    this.#format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
    });
    const { timeZone = NO_ZONE } = this.#format.resolvedOptions();
    this.zone = timeZone === NO_ZONE ? "UTC" : timeZone;
  }

  /** The date of a time, such as 2026-11-29. @param {number} time */
  day(time) {
    const { year, month, day } = this.#parts(time);
    return `${year}-${month}-${day}`;
  }

  /** The hour of the day of a time, from 0 to 23. @param {number} time */
  hour(time) {
    return Number(this.#parts(time).hour);
  }

  /** The first moment of the day of a time. @param {number} time */
  midnight(time) {
    const day = this.day(time);
    const known = this.#starts.get(day);
    if (known !== undefined) return known;
    // Not every day begins at 0:00, so the first moment with this date is searched.
    let before = time - LONGEST_DAY_MS;
    let within = time;
    while (within - before > 1) {
      const middle = Math.floor((before + within) / 2);
      if (this.day(middle) < day) before = middle;
      else within = middle;
    }
    this.#starts.set(day, within);
    return within;
  }

  /**
   * The last days until a time, that of the time included, the oldest first.
   *
   * @param {number} time
   * @param {number} count
   * @returns {Day[]}
   */
  lastDays(time, count) {
    const key = `${this.day(time)} ${count}`;
    const known = this.#days.get(key);
    if (known !== undefined) return known;
    /** @type {Day[]} */
    const days = [];
    let from = this.midnight(time);
    let to = this.midnight(from + LONGEST_DAY_MS);
    while (days.length < count) {
      days.unshift({ day: this.day(from), from, to });
      to = from;
      from = this.midnight(from - 1);
    }
    if (this.#days.size >= MAX_DAYS_KEPT) this.#days.clear();
    this.#days.set(key, days);
    return days;
  }

  /** @param {number} time @returns {Record<string, string>} */
  #parts(time) {
    // A wall of thousands asks for the same time again and again, and a heat map for each hour of a month.
    const quarter = Math.floor(time / QUARTER_MS);
    const known = this.#known.get(quarter);
    if (known !== undefined) return known;
    const parts = Object.fromEntries(this.#format.formatToParts(time).map(({ type, value }) => [type, value]));
    if (this.#known.size >= MAX_QUARTERS_KEPT) this.#known.clear();
    this.#known.set(quarter, parts);
    return parts;
  }
}
