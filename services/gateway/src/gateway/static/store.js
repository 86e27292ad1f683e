/**
 * What is known of the pillows: frames in, newest state of each out.
 *
 * Pure: no clock and no socket; the time comes in as an argument.  Also here, because they
 * are the same question asked of the same facts: how fresh a pillow is, and how fresh the page.
 */

/** After this long without a new state a pillow is quiet, before the gateway gives it up. */
export const QUIET_AFTER_MS = 15_000;

/** A delay outside this says more about someone's clock than about the way taken. */
export const PLAUSIBLE_DELAY_MS = 60_000;

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;
const NOTHING = Object.freeze([]);

/**
 * Milliseconds since 1970 of an RFC 3339 time, with what is finer as a fraction; NaN when it
 * is none.
 */
export function instant(text) {
  const match = RFC3339.exec(text);
  if (match === null) return NaN;
  const [, day, time, fraction = "", zone] = match;
  // Date.parse keeps three digits only; two states within one millisecond still have an order.
  return Date.parse(`${day}T${time}${zone.toUpperCase()}`) + Number(`0.${fraction || 0}`) * 1000;
}

/** Whether `pillow` is strictly older than `known`, by `at` and then `seq`. */
export function isOlder(pillow, known) {
  const at = instant(pillow.at);
  const knownAt = instant(known.at);
  if (at !== knownAt) return at < knownAt;
  return pillow.seq < known.seq;
}

export class Store {
  /** Pillow objects as the gateway sent them, by id. */
  pillows = new Map();
  /** Where in the gateway's stream this store is; null before the first snapshot. */
  cursor = null;
  /** Whether the gateway has its broker: `online`, `offline`, or null when not yet told. */
  broker = null;

  #asOf = new Map();

  /**
   * Take in one frame.
   *
   * @returns {{changed: string[], removed: string[]}} the ids that are different now
   */
  apply(frame) {
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
        return { changed: NOTHING, removed: frame.pillows.filter((id) => this.#forget(id)) };
      case "status":
        this.broker = frame.broker;
        return { changed: NOTHING, removed: NOTHING };
      default:
        return { changed: NOTHING, removed: NOTHING };
    }
  }

  /**
   * Server time in ms at which the state of a pillow was true: its `at`, but never later than
   * the frame that brought it, so that a pillow whose clock runs ahead cannot stay young.
   */
  asOf(id) {
    return this.#asOf.get(id) ?? NaN;
  }

  #replace(frame) {
    const gone = new Set(this.pillows.keys());
    this.pillows.clear();
    this.#asOf.clear();
    for (const pillow of frame.pillows) {
      this.#keep(pillow, frame.sent);
      gone.delete(pillow.pillow);
    }
    return { changed: [...this.pillows.keys()], removed: [...gone] };
  }

  #merge(frame) {
    const changed = new Set();
    for (const pillow of frame.pillows) {
      const known = this.pillows.get(pillow.pillow);
      if (known !== undefined && isOlder(pillow, known)) continue;
      this.#keep(pillow, frame.sent);
      changed.add(pillow.pillow);
    }
    return { changed: [...changed], removed: NOTHING };
  }

  #keep(pillow, sent) {
    const at = instant(pillow.at);
    this.pillows.set(pillow.pillow, pillow);
    this.#asOf.set(pillow.pillow, Number.isNaN(at) ? sent : Math.min(at, sent));
  }

  #forget(id) {
    this.#asOf.delete(id);
    return this.pillows.delete(id);
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
 * @returns {"connecting" | "live" | "broker-offline" | "disconnected"}
 */
export function pageFreshness({ synced, lost, broker }) {
  if (synced) return broker === "online" ? "live" : "broker-offline";
  return lost ? "disconnected" : "connecting";
}

/**
 * How long a state took from the queue to here.
 *
 * @param {{hops?: {queued?: number}}} pillow
 * @param {number} nowMs server time
 * @returns {{ms: number, atMost: boolean} | null} null when it cannot be known; `atMost` when
 *   the queue told whole seconds only, which makes it up to one second too long
 */
export function delay(pillow, nowMs) {
  const queued = pillow.hops?.queued;
  const ms = nowMs - queued;
  if (!Number.isFinite(queued) || ms < 0 || ms > PLAUSIBLE_DELAY_MS) return null;
  return { ms, atMost: queued % 1000 === 0 };
}
