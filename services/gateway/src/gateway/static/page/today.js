/**
 * The hugs of today: the gateway's numbers, and what the page has seen since. Pure.
 *
 * Times are ms since 1970 on the gateway's clock. A day is one of the visitor's time zone.
 */

import { instant } from "../client/store.js";
import { SeenEpisodes, SILENCE_MS } from "./seen_episodes.js";

/** Numbers that may miss hugs, because the page was not connected, are shown for so long. */
const INCOMPLETE_MS = 120_000;

/** The gateway's numbers of a pillow. @typedef {{hugs: number, last_hug?: string | null, longest_hug_s?: number | null}} Numbers */

/**
 * The gateway's answer. `source` is `memory` if it has no database; `since` is then from when on it has
 * listened. `asked`: the pillows that it has the numbers of; all of them if it is missing.
 *
 * @typedef {{day: string, source: string, since?: string | null, pillows: Record<string, Numbers>, asked?: string[] | "all"}} Answer
 */

/**
 * The hugs of a pillow. `lastEnd`: when the last one ended; null without one. `since`: from when on hugs
 * were counted, if that is not the whole day; NaN if that time is unknown, too.
 *
 * @typedef {{hugs: number, lastEnd: number | null, longestMs: number, since: number | null}} Hugs
 */

export class Today {
  #calendar;
  #seen = new SeenEpisodes("hugging");
  /** @type {Answer | null} */
  #answer = null;
  /** Since when hugs may have been missed; null if none was. @type {number | null} */
  #missesSince = null;
  /** What the activity of a pillow says of today. @type {Map<string, {day: string, source: string, hugs: number}>} */
  #told = new Map();

  /** @param {import("./calendar.js").Calendar} calendar */
  constructor(calendar) {
    this.#calendar = calendar;
  }

  /**
   * @param {import("../client/store.js").Update} update
   * @param {boolean} isSnapshot
   */
  add(update, isSnapshot) {
    this.#seen.add(update, isSnapshot);
  }

  /** The page is not connected any more. @param {number} now */
  lose(now) {
    this.#missesSince ??= now;
  }

  /**
   * Use an answer of the gateway.
   *
   * @param {Answer} answer
   * @param {number} now
   */
  replace(answer, now) {
    this.#answer = answer;
    this.#missesSince = null;
    this.#told.clear();
    this.#seen.forget(this.#calendar.midnight(now));
  }

  /**
   * Take what the activity of a pillow says, which may be newer than the gateway's numbers: what one page says
   * has to agree.
   *
   * @param {string} id
   * @param {{hugs: number, source: string}} activity
   * @param {number} now
   */
  learn(id, activity, now) {
    this.#told.set(id, { day: this.#calendar.day(now), ...activity });
  }

  /** Whether the gateway's numbers are those of another day. @param {number} now */
  isOver(now) {
    return this.#answer !== null && this.#answer.day !== this.#calendar.day(now);
  }

  /** Whether numbers are known. @param {number} now */
  isKnown(now) {
    return this.#answer !== null && !this.isOver(now) && !(this.#missesSince !== null && now - this.#missesSince > INCOMPLETE_MS);
  }

  /**
   * The hugs of a pillow today; null if they are not known.
   *
   * @param {string} id
   * @param {number} now
   * @returns {Hugs | null}
   */
  of(id, now) {
    const answer = this.#answer;
    if (answer === null || !this.isKnown(now) || (Array.isArray(answer.asked) && !answer.asked.includes(id))) return null;
    const { hugs = 0, last_hug: last, longest_hug_s: longest } = answer.pillows[id] ?? {};
    const midnight = this.#calendar.midnight(now);
    const lastEnd = instant(last ?? undefined);
    // A hug that began before the end of the last one which the gateway counts is counted by it.
    const counted = Number.isNaN(lastEnd) ? midnight - 1 : Math.max(lastEnd, midnight - 1);
    const seen = this.#seen.of(id).filter(({ from }) => from >= midnight);
    const since = this.#since(answer, midnight);
    // One whose beginning was not seen may have begun as much earlier as reports are apart.
    const isAdded = (/** @type {import("./seen_episodes.js").Episode} */ { from, isNew }) => from > counted + (isNew ? 0 : SILENCE_MS) && !(from < (since ?? midnight));
    const added = seen.filter(isAdded);
    const ends = [lastEnd, ...this.#seen.of(id).filter(({ to }) => to >= midnight).map(({ to }) => to)].filter((end) => !Number.isNaN(end));
    const told = this.#told.get(id);
    const isSame = told?.day === answer.day && told.source === answer.source;
    const total = Math.max(hugs + added.length, isSame ? told.hugs : 0);
    return {
      hugs: total,
      lastEnd: total > 0 && ends.length > 0 ? Math.max(...ends) : null,
      longestMs: Math.max((longest ?? 0) * 1000, ...seen.map(({ from, to }) => to - from)),
      since,
    };
  }

  /**
   * From when on a source has counted today, as in `Hugs`.
   *
   * @param {string} source
   * @param {number} now
   * @returns {Pick<Hugs, "since">}
   */
  countedBy(source, now) {
    if (source !== "memory") return { since: null };
    return { since: this.#answer?.source === source ? this.#since(this.#answer, this.#calendar.midnight(now)) : NaN };
  }

  /**
   * @param {Answer} answer
   * @param {number} midnight
   */
  #since({ source, since }, midnight) {
    const from = instant(since ?? undefined);
    if (!Number.isNaN(from)) return from > midnight ? from : null;
    return source === "memory" ? NaN : null;
  }
}
