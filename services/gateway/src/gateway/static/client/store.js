/**
 * What is known of the pillows: frames in, newest state of each out.
 *
 * Pure: no clock and no socket; the time comes in as an argument.  Also here, because they
 * are the same question asked of the same facts: how fresh a pillow is, and how fresh the page.
 */

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {"connecting" | "live" | "broker-offline" | "disconnected"} Freshness */
/** @typedef {"live" | "quiet" | "notconnected" | "stale" | "unknown"} PillowFreshness */

/**
 * One pillow's next state, or its end.
 *
 * @typedef {object} Update
 * @property {string} id
 * @property {Pillow | null} pillow null when the pillow was removed
 * @property {Pillow | undefined} previous what was known before; undefined when nothing was
 * @property {string | null} cursor what to resume from once this one was dealt with; null in the
 *   middle of a first snapshot, which has to be told again
 */

/** After this long without a new state a pillow is quiet, before the gateway gives it up. */
export const QUIET_AFTER_MS = 15_000;

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;
/** @type {Update[]} */
const NOTHING = [];

/**
 * Milliseconds since 1970 of an RFC 3339 time, with what is finer as a fraction; NaN when it
 * is none.
 *
 * @param {string | undefined} text
 * @returns {number}
 */
export function instant(text) {
  const match = RFC3339.exec(text ?? "");
  if (match === null) return NaN;
  const [, day, time, fraction = "", zone] = match;
  // Date.parse keeps three digits only; two states within one millisecond still have an order.
  return Date.parse(`${day}T${time}${zone.toUpperCase()}`) + Number(`0.${fraction || 0}`) * 1000;
}

/**
 * Whether `pillow` is strictly older than `known`, by `at` and then `seq`.
 *
 * @param {Pillow} pillow
 * @param {Pillow} known
 */
export function isOlder(pillow, known) {
  const at = instant(pillow.at);
  const knownAt = instant(known.at);
  if (at !== knownAt) return at < knownAt;
  return (pillow.seq ?? 0) < (known.seq ?? 0);
}

/** The newest state of each pillow. */
export class Store {
  /** Pillow objects as the gateway sent them, by id. @type {Map<string, Pillow>} */
  pillows = new Map();
  /** Where in the gateway's stream this store is; null before the first snapshot. @type {string | null} */
  cursor = null;
  /** Whether the gateway has its broker; null when not yet told. @type {import("./frames.js").Broker | null} */
  broker = null;

  /** @type {Map<string, number>} */
  #asOf = new Map();
  /** Whether what was known at the cursor is not known here. */
  #isPart;

  /** @param {string | null} [cursor] that of whoever was here before, and knows what was known then */
  constructor(cursor = null) {
    this.cursor = cursor;
    this.#isPart = cursor !== null;
  }

  /**
   * Take in one frame.
   *
   * @param {Frame} frame
   * @returns {Update[]} every state that is news, in order; the same pillow may come twice
   */
  apply(frame) {
    // A frame counts as a whole: who has dealt with a part of it has yet to see the rest.
    const before = frame.type === "snapshot" && !frame.recovered ? null : this.cursor;
    const updates = this.#take(frame);
    for (const update of updates.slice(0, -1)) update.cursor = before;
    return updates;
  }

  /**
   * @param {Frame} frame
   * @returns {Update[]}
   */
  #take(frame) {
    switch (frame.type) {
      case "snapshot":
        this.cursor = frame.cursor;
        this.broker = frame.broker;
        return frame.recovered ? this.#merge(frame) : this.#replace(frame);
      case "update":
        this.cursor = frame.cursor;
        return this.#merge(frame);
      case "removed":
        this.cursor = frame.cursor;
        return frame.pillows.filter((id) => this.#isPart || this.pillows.has(id)).map((id) => this.#forget(id));
      case "status":
        this.broker = frame.broker;
        return NOTHING;
      default:
        return NOTHING;
    }
  }

  /**
   * Server time in ms at which the state of a pillow was true: its `at`, but never later than
   * the frame that brought it, so that a pillow whose clock runs ahead cannot stay young.
   *
   * @param {string} id
   */
  asOf(id) {
    return this.#asOf.get(id) ?? NaN;
  }

  /** @param {{sent: number, pillows: Pillow[]}} frame */
  #replace(frame) {
    const before = this.pillows;
    this.#isPart = false;
    this.pillows = new Map();
    this.#asOf.clear();
    const updates = frame.pillows.map((pillow) => this.#keep(pillow, frame.sent, before.get(pillow.pillow)));
    for (const [id, previous] of before) {
      if (!this.pillows.has(id)) updates.push({ id, pillow: null, previous, cursor: this.cursor });
    }
    return updates;
  }

  /** @param {{sent: number, pillows: Pillow[]}} frame */
  #merge(frame) {
    const updates = [];
    for (const pillow of frame.pillows) {
      const known = this.pillows.get(pillow.pillow);
      if (known === undefined || !isOlder(pillow, known)) updates.push(this.#keep(pillow, frame.sent, known));
    }
    return updates;
  }

  /**
   * @param {Pillow} pillow
   * @param {number} sent
   * @param {Pillow | undefined} previous
   * @returns {Update}
   */
  #keep(pillow, sent, previous) {
    const at = instant(pillow.at);
    this.pillows.set(pillow.pillow, pillow);
    this.#asOf.set(pillow.pillow, Number.isNaN(at) ? sent : Math.min(at, sent));
    return { id: pillow.pillow, pillow, previous, cursor: this.cursor };
  }

  /**
   * @param {string} id
   * @returns {Update}
   */
  #forget(id) {
    const previous = this.pillows.get(id);
    this.#asOf.delete(id);
    this.pillows.delete(id);
    return { id, pillow: null, previous, cursor: this.cursor };
  }
}

/**
 * How fresh a pillow is while the page itself is live.
 *
 * @param {{state: string}} pillow
 * @param {number} ageMs how long ago its state was true
 * @returns {"live" | "quiet" | "notconnected"}
 */
export function freshness(pillow, ageMs) {
  if (pillow.state === "notconnected") return "notconnected";
  return ageMs <= QUIET_AFTER_MS ? "live" : "quiet";
}

/**
 * How fresh the page is as a whole.
 *
 * @param {{synced: boolean, lost: boolean, broker: string | null}} facts `synced`: a snapshot
 *   came on the connection now open; `lost`: at least one connection or attempt has failed
 * @returns {Freshness}
 */
export function pageFreshness({ synced, lost, broker }) {
  if (synced) return broker === "online" ? "live" : "broker-offline";
  return lost ? "disconnected" : "connecting";
}
