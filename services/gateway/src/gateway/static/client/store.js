/**
 * The newest state of each pillow, and the freshness of a pillow and of the page.
 *
 * Pure: the time is an argument, in ms since 1970.
 */

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {"connecting" | "live" | "broker-offline" | "disconnected"} Freshness */
/** @typedef {"live" | "quiet" | "notconnected" | "stale" | "unknown"} PillowFreshness */

/**
 * A new state of a pillow, or its removal.
 *
 * @typedef {object} Update
 * @property {string} id
 * @property {Pillow | null} pillow null if the pillow was removed
 * @property {Pillow | undefined} previous the state before; undefined if none was known
 * @property {string | null} cursor from which to resume once this update was handled; null within a
 *   first snapshot, which must be received again as a whole
 */

/** A pillow without a new state for this long is quiet; the gateway marks it `notconnected` later. */
export const QUIET_AFTER_MS = 15_000;

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;
/** @type {Update[]} */
const NOTHING = [];

/**
 * Milliseconds since 1970 of an RFC 3339 time, with finer digits as a fraction; NaN for any other text.
 *
 * @param {string | undefined} text
 * @returns {number}
 */
export function instant(text) {
  const match = RFC3339.exec(text ?? "");
  if (match === null) return NaN;
  const [, day, time, fraction = "", zone] = match;
  // Date.parse keeps three digits only, but two states within one millisecond have an order.
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
  /** The gateway's own objects by id. @type {Map<string, Pillow>} */
  pillows = new Map();
  /** Position in the gateway's stream; null before the first snapshot. @type {string | null} */
  cursor = null;
  /** Whether the gateway is connected to its broker; null before the first snapshot. @type {import("./frames.js").Broker | null} */
  broker = null;

  /** @type {Map<string, number>} */
  #asOf = new Map();
  /** Whether the states at the cursor are unknown, because another client received them. */
  #isPartial;

  /** @param {string | null} [cursor] of an earlier client, which knows the states up to there */
  constructor(cursor = null) {
    this.cursor = cursor;
    this.#isPartial = cursor !== null;
  }

  /**
   * Apply a frame.
   *
   * @param {Frame} frame
   * @returns {Update[]} every new state, in order; a pillow may occur twice
   */
  apply(frame) {
    // Before the last update of a frame, a reader must resume before the frame to get the rest of it.
    const before = frame.type === "snapshot" && !frame.recovered ? null : this.cursor;
    const updates = this.#applyFrame(frame);
    for (const update of updates.slice(0, -1)) update.cursor = before;
    return updates;
  }

  /**
   * @param {Frame} frame
   * @returns {Update[]}
   */
  #applyFrame(frame) {
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
        return frame.pillows.filter((id) => this.#isPartial || this.pillows.has(id)).map((id) => this.#delete(id));
      case "status":
        this.broker = frame.broker;
        return NOTHING;
      default:
        return NOTHING;
    }
  }

  /**
   * Server time in ms at which the state of a pillow was true: its `at`, but not later than the send
   * time of its frame, because the clock of a pillow may be ahead. NaN of an unknown pillow.
   *
   * @param {string} id
   */
  asOf(id) {
    return this.#asOf.get(id) ?? NaN;
  }

  /** @param {{sent: number, pillows: Pillow[]}} frame */
  #replace(frame) {
    const before = this.pillows;
    this.#isPartial = false;
    this.pillows = new Map();
    this.#asOf.clear();
    const updates = frame.pillows.map((pillow) => this.#set(pillow, frame.sent, before.get(pillow.pillow)));
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
      if (known === undefined || !isOlder(pillow, known)) updates.push(this.#set(pillow, frame.sent, known));
    }
    return updates;
  }

  /**
   * @param {Pillow} pillow
   * @param {number} sent
   * @param {Pillow | undefined} previous
   * @returns {Update}
   */
  #set(pillow, sent, previous) {
    const at = instant(pillow.at);
    this.pillows.set(pillow.pillow, pillow);
    this.#asOf.set(pillow.pillow, Number.isNaN(at) ? sent : Math.min(at, sent));
    return { id: pillow.pillow, pillow, previous, cursor: this.cursor };
  }

  /**
   * @param {string} id
   * @returns {Update}
   */
  #delete(id) {
    const previous = this.pillows.get(id);
    this.#asOf.delete(id);
    this.pillows.delete(id);
    return { id, pillow: null, previous, cursor: this.cursor };
  }
}

/**
 * Freshness of a pillow while the connection is live.
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
 * Freshness of the page as a whole.
 *
 * @param {{synced: boolean, lost: boolean, broker: string | null}} facts `synced`: a snapshot
 *   arrived on the current connection; `lost`: at least one connection or attempt has failed
 * @returns {Freshness}
 */
export function pageFreshness({ synced, lost, broker }) {
  if (synced) return broker === "online" ? "live" : "broker-offline";
  return lost ? "disconnected" : "connecting";
}
