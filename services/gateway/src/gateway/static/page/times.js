/** Past times in the visitor's language and time zone. */

import { HOUR_MS } from "./calendar.js";

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const FORMATS = {
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  minute: { hour: "2-digit", minute: "2-digit" },
  hour: { hour: "numeric" },
  day: { weekday: "short", day: "numeric" },
  date: { weekday: "short", day: "numeric", month: "short" },
  moment: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  instant: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

/** A visitor does not see that a clock differs by less. */
const MIN_OFFSET_MS = 30_000;
/** Whole days are those of the gateway's clock. */
const OF_DAYS = ["day", "date"];

/** Any day of which every hour exists in UTC, to name the hours of a day. */
const SOME_DAY = Date.UTC(2026, 5, 10);

/** @typedef {keyof typeof FORMATS} Format */

export class Times {
  #texts;
  #zone;
  /** The gateway's clock minus the visitor's in ms. */
  #offsetMs = 0;

  /**
   * @param {import("../cloud/texts.js").Texts} texts
   * @param {string} zone
   */
  constructor(texts, zone) {
    this.#texts = texts;
    this.#zone = zone;
  }

  /** Past times are the gateway's; a visitor compares them with a clock of their own. @param {number | null} offsetMs */
  setOffset(offsetMs) {
    this.#offsetMs = Math.abs(offsetMs ?? 0) < MIN_OFFSET_MS ? 0 : Number(offsetMs);
  }

  /** @param {number} at gateway time @param {Format} format */
  format(at, format) {
    return this.#texts.time(at - (OF_DAYS.includes(String(format)) ? 0 : this.#offsetMs), { ...FORMATS[format], timeZone: this.#zone });
  }

  /** @param {number} from @param {number} to @param {Format} [format] of the first one */
  range(from, to, format = "minute") {
    return this.#texts.format("story.range", { from: this.format(from, format), to: this.format(to, "minute") });
  }

  /** An hour of the day, such as "7 PM" or "19 Uhr". @param {number} hour from 0 to 24 */
  hourName(hour) {
    return this.#texts.time(SOME_DAY + hour * HOUR_MS, { ...FORMATS.hour, timeZone: "UTC" });
  }
}
