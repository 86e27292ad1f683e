/**
 * The sentences of one language, with its numbers, durations and times by Intl. Pure but for what Intl
 * knows of the time zone.
 *
 * A key has a whole sentence with `{name}` for each value, or one for each plural category of the value
 * `count`. No sentence is assembled from others, because languages order and inflect words differently.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** From the largest to the smallest. @type {["day" | "hour" | "minute", number][]} */
const UNITS = [["day", DAY], ["hour", HOUR], ["minute", MINUTE]];

/** Languages in which a number below 1,000 is its digits, which saves the first picture the first use of Intl. */
const WITH_PLAIN_DIGITS = /^(?:de|en|es|fr|ja)\b/;
/** What is behind the digits of a percentage, where it is known without Intl. @type {[RegExp, string][]} */
const PERCENT_SIGNS = [[/^(?:en(?:-(?:GB|US))?|ja(?:-JP)?)$/, "%"], [/^(?:de(?:-DE)?|es(?:-ES)?|fr(?:-FR)?)$/, "\u00a0%"]];

/** Scripts that are written from right to left: Hebrew, Arabic, and what lies between and beside them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** What has more characters than any label of a state. */
const TOO_LONG = /^(.{24}).+/su;

/** @typedef {Record<string, string | Record<string, string>>} Table sentences by key */

export class Texts {
  #table;
  /** The language of the sentences. */
  language;
  #ownLocale;
  #locale;
  #hasAges = true;
  /** Created on first use, because that takes long. @type {Map<string, any>} */
  #formatters = new Map();

  /**
   * @param {string} language
   * @param {Table} table
   * @param {readonly string[]} [locales] those of the user: numbers and times are written as in the first
   *   that has the language, `de-CH` for German
   */
  constructor(language, table, locales = []) {
    this.#table = { ...table };
    this.language = language;
    this.#ownLocale = locales.find((one) => one.split("-")[0] === language) ?? language;
    this.#locale = this.#ownLocale;
  }

  /**
   * Write numbers, ages and times in another language: that into which a browser translates the page. It
   * would have to translate an age each second. With the page's own language all is as before.
   *
   * @param {string} locale
   */
  follow(locale) {
    if (!isLocale(locale)) return;
    this.#locale = locale === this.language ? this.#ownLocale : locale;
    this.#formatters.clear();
  }

  /** Whether ages are written; their first one takes a slow phone 100 ms. @param {boolean} hasAges */
  setAges(hasAges) {
    this.#hasAges = hasAges;
  }

  /** Add the sentences of a part of the page that was loaded later. @param {Table} table */
  add(table) {
    Object.assign(this.#table, table);
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values] numbers are formatted; a text is isolated where its
   *   direction could change that of the sentence
   */
  format(key, values = {}) {
    const entry = this.#table[key] ?? key;
    const sentence = typeof entry === "string" ? entry : (entry[this.#category(Number(values.count))] ?? entry.other);
    return sentence.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      if (typeof value === "number") return this.number(value);
      return RIGHT_TO_LEFT.test(sentence + value) ? `\u2068${value}\u2069` : value;
    });
  }

  /**
   * Format the sentence of a group that is made for one case, else the group's `other`.
   *
   * @param {string} group
   * @param {string} name
   * @param {Record<string, string | number>} [values]
   */
  choose(group, name, values) {
    const key = `${group}.${name}`;
    return this.format(key in this.#table ? key : `${group}.other`, values);
  }

  /** The label of a state; the beginning of the state itself if it is unknown here. @param {string} state */
  state(state) {
    return `state.${state}` in this.#table ? this.format(`state.${state}`) : state.replace(TOO_LONG, "$1…");
  }

  /** @param {number} value */
  number(value) {
    const isPlain = Number.isInteger(value) && value >= 0 && value < 1000 && WITH_PLAIN_DIGITS.test(this.#locale);
    return isPlain ? String(value) : this.#number({}).format(value);
  }

  /** Format a number from 0 to 1 as a percentage; "" for any other value. @param {unknown} share */
  percent(share) {
    if (typeof share !== "number" || !(share >= 0 && share <= 1)) return "";
    const sign = PERCENT_SIGNS.find(([locales]) => locales.test(this.#locale))?.[1];
    return sign === undefined ? this.#number({ style: "percent" }).format(share) : Math.round(share * 100) + sign;
  }

  /** Format a duration in its largest unit, rounded down: "12 sec", "3 min", "2 days". @param {number} ms */
  duration(ms) {
    const [unit, count] = largestUnit(ms);
    return this.#unit(unit).format(count);
  }

  /** Format a duration of up to some seconds: "182 ms", "1.2 sec". @param {number} ms */
  shortDuration(ms) {
    return ms < SECOND ? this.#unit("millisecond").format(ms) : this.#unit("second", 1).format(ms / SECOND);
  }

  /** Format an age: "just now", "12 sec. ago"; "" for NaN, and while there are no ages. @param {number} ms */
  age(ms) {
    if (Number.isNaN(ms) || !this.#hasAges) return "";
    if (ms < 2 * SECOND) return this.format("age.now");
    const [unit, count] = largestUnit(ms);
    return this.#formatter("age", () => new Intl.RelativeTimeFormat(this.#locale, { style: "short" })).format(-count, unit);
  }

  /**
   * Format a time of this device's clock.
   *
   * @param {number} at
   * @param {Intl.DateTimeFormatOptions} options
   */
  time(at, options) {
    return this.#formatter(JSON.stringify(options), () => new Intl.DateTimeFormat(this.#locale, options)).format(at);
  }

  /** @param {number} count */
  #category(count) {
    return this.#formatter("plural", () => new Intl.PluralRules(this.#locale)).select(count);
  }

  /** @param {string} unit */
  #unit(unit, maximumFractionDigits = 0) {
    return this.#number({ style: "unit", unit, unitDisplay: "short", maximumFractionDigits, minimumFractionDigits: maximumFractionDigits });
  }

  /** @param {Intl.NumberFormatOptions} options */
  #number(options) {
    return this.#formatter(JSON.stringify(options), () => new Intl.NumberFormat(this.#locale, options));
  }

  /**
   * @template Formatter
   * @param {string} name
   * @param {() => Formatter} create
   * @returns {Formatter}
   */
  #formatter(name, create) {
    const formatter = this.#formatters.get(name) ?? create();
    this.#formatters.set(name, formatter);
    return formatter;
  }
}

/** @param {number} ms @returns {["day" | "hour" | "minute" | "second", number]} */
function largestUnit(ms) {
  const [unit, size] = UNITS.find(([, one]) => ms >= one) ?? ["second", SECOND];
  return [unit, Math.max(0, Math.floor(ms / size))];
}

/** @param {string} text */
function isLocale(text) {
  try {
    return Intl.getCanonicalLocales(text).length > 0;
  } catch {
    return false;
  }
}
