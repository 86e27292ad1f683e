/**
 * The newest state of each pillow, and when the pillow last gave a sign of life.
 *
 * Pure: times are arguments, `sent` on the gateway's clock in ms since 1970, `now` on the local
 * monotonic clock.
 */

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */

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

/**
 * When a pillow gave its newest sign of life.
 *
 * @typedef {object} Sign
 * @property {number} asOf gateway time at which its state was true: its `at`, but not later than the
 *   send time of its frame, because the clock of a pillow may be ahead
 * @property {number} aliveAt gateway time at which it was alive at the latest known
 * @property {number | null} receivedAt local time at which the state arrived; null if a snapshot brought it
 */

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

/**
 * Whether a state has this `at` and `seq`.
 *
 * @param {Pillow} pillow
 * @param {{at: string, seq?: number}} order
 */
const isOf = (pillow, { at, seq }) => pillow.at === at && pillow.seq === seq;

/** The newest state of each pillow. */
export class Store {
  /** The gateway's own objects by id. @type {Map<string, Pillow>} */
  pillows = new Map();
  /** Position in the gateway's stream; null before the first snapshot. @type {string | null} */
  cursor = null;
  /** Whether the gateway is connected to its broker; null before the first snapshot. @type {import("./frames.js").Broker | null} */
  broker = null;
  /** Whether the broker delivers the states that it retains, so that a snapshot has all pillows. */
  retained = true;
  /** How many clients the gateway has; null while that is not known. @type {number | null} */
  watching = null;

  /** @type {Map<string, Sign>} */
  #signs = new Map();
  /** Whether the states at the cursor are unknown, because another client received them. */
  #isPartial;
  /** The pillows that the pieces of a snapshot named so far; null while none is incomplete. @type {Set<string> | null} */
  #named = null;
  /** Whether the last piece of the snapshot removes the pillows that no piece named. */
  #removesUnnamed = false;

  /** @param {string | null} [cursor] of an earlier client, which knows the states up to there */
  constructor(cursor = null) {
    this.cursor = cursor;
    this.#isPartial = cursor !== null;
  }

  /**
   * Apply a frame.
   *
   * @param {Frame} frame
   * @param {number} [now] local time
   * @param {boolean} [isLast] whether a snapshot is the last piece of all that the client waits for
   * @returns {Update[]} every new state, in order; a pillow may occur twice
   */
  apply(frame, now = 0, isLast = frame.type === "snapshot" && !frame.more) {
    // Before the last update of a frame, a reader must resume before the frame to get the rest of it.
    const before = frame.type === "snapshot" && !frame.recovered && !frame.continued ? null : this.cursor;
    const updates = this.#applyFrame(frame, now, isLast);
    for (const update of updates.slice(0, -1)) update.cursor = before;
    return updates;
  }

  /** Whether pieces of a snapshot are still to come. */
  get isLoading() {
    return this.#named !== null;
  }

  /** Whether the known state of a pillow waits for a piece of the snapshot that names or removes it. @param {string} id */
  isUnconfirmed(id) {
    return this.#named !== null && !this.#named.has(id);
  }

  /** When a pillow gave its newest sign of life; undefined of an unknown one. @param {string} id */
  sign(id) {
    return this.#signs.get(id);
  }

  /**
   * @param {Frame} frame
   * @param {number} now
   * @param {boolean} isLast
   * @returns {Update[]}
   */
  #applyFrame(frame, now, isLast) {
    switch (frame.type) {
      case "snapshot":
        this.cursor = frame.cursor;
        this.broker = frame.broker;
        this.retained = frame.retained !== false;
        this.watching = frame.watching ?? null;
        return this.#applySnapshot(frame, isLast);
      case "update":
        this.cursor = frame.cursor;
        return this.#merge(frame.pillows, { sent: frame.sent, receivedAt: now });
      case "removed":
        this.cursor = frame.cursor;
        return frame.pillows.filter((id) => this.#isPartial || this.pillows.has(id)).map((id) => this.#delete(id));
      case "motion":
        return frame.pillows.flatMap((samples) => this.#move(samples));
      case "status":
        this.broker = frame.broker;
        this.retained = frame.retained !== false;
        return NOTHING;
      case "heartbeat":
        this.watching = frame.watching ?? null;
        return NOTHING;
      default:
        return NOTHING;
    }
  }

  /**
   * Apply a snapshot or a piece of one. `recovered` after a loss in the middle of a snapshot means that
   * the rest of that one follows.
   *
   * @param {import("./frames.js").SnapshotFrame} frame
   * @param {boolean} isLast
   */
  #applySnapshot(frame, isLast) {
    if (!frame.continued && !frame.recovered) {
      this.#named = new Set();
      this.#removesUnnamed = true;
    }
    this.#named ??= new Set();
    const arrival = { sent: frame.sent, receivedAt: null, queueOffset: frame.queue_offset ?? null };
    const updates = frame.recovered ? this.#merge(frame.pillows, arrival) : this.#replace(frame.pillows, arrival);
    if (isLast) updates.push(...this.#endSnapshot());
    return updates;
  }

  /** Remove the pillows that no piece of the snapshot named. */
  #endSnapshot() {
    const named = this.#named ?? new Set();
    const gone = this.#removesUnnamed ? [...this.pillows.keys()].filter((id) => !named.has(id)) : [];
    if (this.#removesUnnamed) this.#isPartial = false;
    this.#named = null;
    this.#removesUnnamed = false;
    return gone.map((id) => this.#delete(id));
  }

  /**
   * Use states in place of those of an earlier gateway, which may have known newer ones.
   *
   * @param {Pillow[]} pillows
   * @param {Arrival} arrival
   */
  #replace(pillows, arrival) {
    const fresh = pillows.filter((pillow) => !this.#isSuperseded(pillow, this.#named?.has(pillow.pillow) === true));
    return fresh.map((pillow) => this.#set(pillow, arrival));
  }

  /**
   * @param {Pillow[]} pillows
   * @param {Arrival} arrival
   */
  #merge(pillows, arrival) {
    const updates = [];
    for (const pillow of pillows) {
      if (this.#isSuperseded(pillow, true)) this.#named?.add(pillow.pillow);
      else updates.push(this.#set(pillow, arrival));
    }
    return updates;
  }

  /**
   * @param {Pillow} pillow
   * @param {boolean} isComparable whether the known state is of the same gateway
   */
  #isSuperseded(pillow, isComparable) {
    const known = isComparable ? this.pillows.get(pillow.pillow) : undefined;
    return known !== undefined && isOlder(pillow, known);
  }

  /**
   * @param {Pillow} pillow
   * @param {Arrival} arrival
   * @returns {Update}
   */
  #set(pillow, arrival) {
    const id = pillow.pillow;
    const previous = this.pillows.get(id);
    // The same state without the samples that came for it is no other one.
    if (previous?.motion && !pillow.motion && previous.state === pillow.state && isOf(previous, pillow)) pillow = { ...pillow, motion: previous.motion };
    this.pillows.set(id, pillow);
    this.#signs.set(id, signOf(pillow, arrival));
    this.#named?.add(id);
    return { id, pillow, previous, cursor: this.cursor };
  }

  /**
   * Add samples to the state that they are of; those of another one come too late.
   *
   * @param {import("./frames.js").Samples} samples
   * @returns {Update[]}
   */
  #move({ pillow: id, motion, ...order }) {
    const previous = this.pillows.get(id);
    if (previous === undefined || !isOf(previous, order)) return NOTHING;
    const pillow = { ...previous, motion };
    this.pillows.set(id, pillow);
    return [{ id, pillow, previous, cursor: this.cursor }];
  }

  /**
   * @param {string} id
   * @returns {Update}
   */
  #delete(id) {
    const previous = this.pillows.get(id);
    this.#signs.delete(id);
    this.pillows.delete(id);
    return { id, pillow: null, previous, cursor: this.cursor };
  }
}

/** @typedef {{sent: number, receivedAt: number | null, queueOffset?: number | null}} Arrival */

/**
 * A state that arrives by itself is a sign of life at its arrival, whatever the pillow's clock says. A
 * state in a snapshot was alive when it was published, or, if that is not known, at its `at`.
 *
 * @param {Pillow} pillow
 * @param {Arrival} arrival
 * @returns {Sign}
 */
function signOf(pillow, { sent, receivedAt, queueOffset = null }) {
  const at = instant(pillow.at);
  const asOf = Number.isNaN(at) ? sent : Math.min(at, sent);
  if (receivedAt !== null) return { asOf, aliveAt: sent, receivedAt };
  const published = pillow.hops?.published;
  const isKnown = queueOffset !== null && Number.isFinite(published);
  return { asOf, aliveAt: isKnown ? Math.min(Number(published) - queueOffset, sent) : asOf, receivedAt };
}
