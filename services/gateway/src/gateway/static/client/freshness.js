/** The freshness of a pillow and of the page. Pure: times are arguments. */

/** @typedef {"connecting" | "live" | "broker-offline" | "disconnected"} Freshness */
/** @typedef {"live" | "quiet" | "notconnected" | "stale" | "unknown"} PillowFreshness */
/** @typedef {import("./store.js").Sign} Sign */

/** A pillow that gave no sign of life for this long is quiet; the gateway marks it `notconnected` later. */
export const QUIET_AFTER_MS = 15_000;

/**
 * For how long a pillow has given no sign of life, in ms.
 *
 * The local clock stands still while some machines sleep, and the gateway's clock may be set back: each
 * would make a silent pillow look alive, so the longer silence counts.
 *
 * @param {Sign} sign
 * @param {{now: number, gatewayNow: number}} times local time, and the gateway's
 */
export function silence({ aliveAt, receivedAt }, { now, gatewayNow }) {
  const byGateway = gatewayNow - aliveAt;
  return receivedAt === null ? byGateway : Math.max(byGateway, now - receivedAt);
}

/**
 * Freshness of a pillow while the connection is live.
 *
 * @param {{state: string, clock?: string}} pillow
 * @param {number} silentMs for how long it has given no sign of life
 * @param {number} [ageMs] how long ago its state was true
 * @returns {"live" | "quiet" | "notconnected"}
 */
export function freshness(pillow, silentMs, ageMs = silentMs) {
  if (pillow.state === "notconnected") return "notconnected";
  // The newer states of a pillow whose clock was set back count as older: it lives, but what it does is not known.
  const isCurrent = pillow.clock !== "behind" || ageMs <= QUIET_AFTER_MS;
  return silentMs <= QUIET_AFTER_MS && isCurrent ? "live" : "quiet";
}

/**
 * Freshness of a pillow of a client.
 *
 * @param {Pick<import("./store.js").Store, "pillows" | "sign" | "isUnconfirmed">} store
 * @param {string} id
 * @param {{isLive: boolean, now: number, gatewayNow: number}} facts `isLive`: the connection is live; local
 *   time, and the gateway's
 * @returns {PillowFreshness}
 */
export function freshnessOf(store, id, { isLive, now, gatewayNow }) {
  const pillow = store.pillows.get(id);
  const sign = store.sign(id);
  if (pillow === undefined || sign === undefined) return "unknown";
  if (!isLive || store.isUnconfirmed(id)) return "stale";
  return freshness(pillow, silence(sign, { now, gatewayNow }), gatewayNow - sign.asOf);
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

/** Whether the known states are live, and since when. */
export class Liveness {
  /** Whether a snapshot arrived on the current connection. */
  synced = false;
  /** Whether a connection or an attempt has failed. */
  lost = false;
  /** @type {Freshness} */
  connection = "connecting";
  /** Since when `connection` has its value, on the local clock. */
  since;

  /** @param {number} now local time */
  constructor(now) {
    this.since = now;
  }

  /**
   * Evaluate it anew.
   *
   * @param {string | null} broker
   * @param {{now: number, lastReceivedAt: number | null}} times on the local clock
   * @returns {boolean} whether it has changed
   */
  evaluate(broker, { now, lastReceivedAt }) {
    const connection = pageFreshness({ synced: this.synced, lost: this.lost, broker });
    if (connection === this.connection) return false;
    this.connection = connection;
    // A lost connection was lost after its last message, not when the loss was detected.
    this.since = (connection === "disconnected" ? lastReceivedAt : null) ?? now;
    return true;
  }
}
