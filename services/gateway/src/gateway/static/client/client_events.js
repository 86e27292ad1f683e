/** The events of a client and their types. */

import { FrameError, parseFrame } from "./frames.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./freshness.js").Freshness} Freshness */
/** @typedef {import("./store.js").Update} Update */

/**
 * Detail of a `change` event.
 *
 * @typedef {object} ChangeDetail
 * @property {Update[]} updates every new state, in order
 * @property {string[]} changed ids of pillows with a new state, each once
 * @property {string[]} removed ids of pillows that were removed, each once
 * @property {boolean} isSnapshot whether the updates are the current states, not changes of them
 * @property {boolean} isResumed of a snapshot: whether it holds only what changed after the cursor,
 *   so that all other known states are still valid
 * @property {boolean} isContinued of a snapshot: whether it continues the one before, of a large fleet
 * @property {number | null} sent when the gateway sent it, in ms on its clock
 */

/** Detail of a `connection` event. @typedef {{connection: Freshness, since: number}} ConnectionDetail */
/** @typedef {CustomEvent<ChangeDetail>} ChangeEvent */
/** @typedef {CustomEvent<ConnectionDetail>} ConnectionEvent */
/** @typedef {CustomEvent<FrameError>} FaultEvent */
/** @typedef {CustomEvent<{watching: number | null}>} WatchingEvent */
// Derived from EventTarget, because the names differ between the types of browsers and of Node.js.
/** @typedef {Parameters<EventTarget["addEventListener"]>[2]} ListenOptions */
/** @typedef {Parameters<EventTarget["removeEventListener"]>[2]} UnlistenOptions */
/** The states whose samples have come, with these as `motion`. @typedef {CustomEvent<{pillows: import("./frames.js").Pillow[]}>} MotionEvent */
/** @typedef {{change: ChangeEvent, connection: ConnectionEvent, fault: FaultEvent, watching: WatchingEvent, motion: MotionEvent}} Events */
/** @typedef {keyof Events} EventName */
/**
 * @template {EventName} T
 * @typedef {((event: Events[T]) => void) | {handleEvent(event: Events[T]): void} | null} Listener
 */

/** An EventTarget whose listeners know the type of each event. */
export class ClientEventTarget extends EventTarget {
  /** The listeners that were added and not removed, of each type. @type {Map<string, Set<unknown>>} */
  #listeners = new Map();

  /** Whether there is a listener, of one type or of any. @param {EventName} [type] */
  hasListener(type) {
    return type === undefined ? [...this.#listeners.values()].some(({ size }) => size > 0) : (this.#listeners.get(type)?.size ?? 0) > 0;
  }

  /**
   * @template {EventName} T
   * @param {T} type
   * @param {Listener<T>} listener
   * @param {ListenOptions} [options]
   */
  addEventListener(type, listener, options) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    super.addEventListener(type, /** @type {any} */ (listener), options);
  }

  /**
   * @template {EventName} T
   * @param {T} type
   * @param {Listener<T>} listener
   * @param {UnlistenOptions} [options]
   */
  removeEventListener(type, listener, options) {
    this.#listeners.get(type)?.delete(listener);
    super.removeEventListener(type, /** @type {any} */ (listener), options);
  }
}

/** At most this many invalid pillows fire an event, each once: one may be sent many times a second. */
const MAX_REPORTED = 100;

/** Parses messages; counts what is invalid, and fires `fault` for it. */
export class FaultLog {
  /** How many frames, and pillows within frames, were invalid. */
  count = 0;
  /** The invalid pillows that an event was fired for. @type {Set<string>} */
  #reported = new Set();
  #client;

  /** @param {EventTarget} client */
  constructor(client) {
    this.#client = client;
  }

  /** Parse a message, without the pillows that are invalid; null if it is invalid itself. @param {unknown} data */
  parse(data) {
    try {
      return parseFrame(data, (error, id) => this.#addPillow(error, id));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#add(error);
      return null;
    }
  }

  /**
   * @param {FrameError} error
   * @param {string} id
   */
  #addPillow(error, id) {
    if (this.#reported.has(id) || this.#reported.size >= MAX_REPORTED) {
      this.count += 1;
      return;
    }
    this.#reported.add(id);
    this.#add(error);
  }

  /** @param {FrameError} error */
  #add(error) {
    this.count += 1;
    this.#client.dispatchEvent(createEvent("fault", error));
  }
}

/** Fires the events `connection` and `watching` of a client when what they report has changed. */
export class StateReporter {
  #client;
  #liveness;
  #isOpening = false;
  /** The newest value of `watching` that was reported. @type {number | null} */
  #watching = null;

  /**
   * @param {import("./client_state.js").ClientState} client
   * @param {import("./freshness.js").Liveness} liveness that of the client
   */
  constructor(client, liveness) {
    this.#client = client;
    this.#liveness = liveness;
  }

  /**
   * Open the client. `connect` has not returned it yet, so a listener could not use it: `connection` is fired in
   * a microtask. There the detail is the state at that time, because a socket may fail at once.
   *
   * @param {() => void} open
   */
  whileOpening(open) {
    this.#isOpening = true;
    open();
    this.#isOpening = false;
  }

  /**
   * Evaluate whether the known states are live; fire `connection` if that or `status` has changed.
   *
   * @param {string | null} broker
   * @param {{now: number, lastReceivedAt: number | null}} times on the local clock
   * @param {{hasStatusChanged?: boolean | undefined}} [what]
   */
  reportConnection(broker, times, { hasStatusChanged = false } = {}) {
    const hasChanged = this.#liveness.evaluate(broker, times);
    if (!hasChanged && !hasStatusChanged) return;
    const client = this.#client;
    const dispatch = () => client.dispatchEvent(createEvent("connection", { connection: client.connection, since: client.since }));
    if (this.#isOpening) queueMicrotask(dispatch);
    else dispatch();
  }

  reportWatching() {
    const { watching } = this.#client;
    if (watching === this.#watching) return;
    this.#watching = watching;
    this.#client.dispatchEvent(createEvent("watching", { watching }));
  }
}

/**
 * Create an event with a detail. Node.js 18 has no CustomEvent.
 *
 * @param {keyof Events} type
 * @param {Events[keyof Events]["detail"]} detail
 */
export function createEvent(type, detail) {
  return Object.assign(new Event(type), { detail });
}

/**
 * The detail of a `change` event for the updates that a frame brought.
 *
 * @param {Update[]} updates
 * @param {Frame} frame
 * @returns {ChangeDetail}
 */
export function changeDetail(updates, frame) {
  const removed = new Set(updates.filter(({ pillow }) => pillow === null).map(({ id }) => id));
  const changed = new Set(updates.map(({ id }) => id).filter((id) => !removed.has(id)));
  return {
    updates,
    changed: [...changed],
    removed: [...removed],
    isSnapshot: frame.type === "snapshot",
    isResumed: frame.type === "snapshot" && frame.recovered,
    isContinued: frame.type === "snapshot" && frame.continued === true,
    sent: "sent" in frame ? frame.sent : null,
  };
}
