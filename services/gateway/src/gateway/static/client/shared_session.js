/**
 * One session for all clients of a program that connect to the same gateway in the same way.
 *
 * The session subscribes to all that its clients want, and each client gets what concerns its own
 * pillows. A client that comes later gets the known states at once. The last client that leaves closes
 * the connection.
 */

import { changeDetail } from "./client_events.js";
import { nameable } from "./options.js";
import { Readers } from "./readers.js";
import { Session } from "./session.js";
import { TIMERS } from "./sockets.js";
import { withUrl } from "./url_function.js";

/** Requests for other pillows have this distance at least, because the gateway limits what they may cost. */
export const SUBSCRIBE_INTERVAL_MS = 500;
/** Pillows that nobody wants any more are given up after this time: another client may want them soon. */
export const NARROW_AFTER_MS = 1_000;

/** @typedef {import("./readers.js").Reader} Reader */
/** @typedef {import("./options.js").AllOptions} AllOptions */
/** @typedef {import("./store.js").Update} Update */

/** @type {Update[]} */
const NOTHING = [];

export class SharedSession extends Session {
  #readers = new Readers();
  #timers;
  #monotonic;
  /** @type {{timer: unknown, dueAt: number} | null} */
  #pending = null;
  #subscribedAt = -Infinity;
  #isRefusalWritten = false;
  #hasUrlFunction;

  /** @param {AllOptions} options which are valid */
  constructor(options) {
    super(withUrl(options));
    this.#hasUrlFunction = typeof options.url === "function";
    this.#timers = options.timers ?? TIMERS;
    this.#monotonic = () => this.time.monotonic();
    this.addEventListener("watching", () => [...this.#readers].forEach((reader) => reader.onWatching()));
    this.addEventListener("fault", ({ detail }) => [...this.#readers].forEach((reader) => reader.onFault(detail)));
  }

  /** @override */
  get address() {
    return this.#hasUrlFunction ? "the gateway that url() names" : super.address;
  }

  /** Whether nobody reads it. */
  get isUnused() {
    return this.#readers.size === 0;
  }

  /** Add a reader, and connect for the first one. @param {Reader} reader */
  join(reader) {
    const isFirst = this.isUnused;
    this.#readers.add(reader);
    reader.view.attach(this.store);
    this.#askForMotion();
    if (isFirst) {
      this.#setPillows();
      this.open();
      return;
    }
    this.#subscribeSoon(SUBSCRIBE_INTERVAL_MS);
    const { phase } = this.status;
    // Another client may find what this one did not: the gateway is back, or lets it in now.
    if (phase === "waiting") this.wake();
    else if (phase !== "open" && phase !== "connecting") this.open();
    reader.onStatus();
    this.#admitSoon(reader);
  }

  /** Remove a reader; the last one closes the connection. @param {Reader} reader */
  leave(reader) {
    if (!this.#readers.remove(reader)) return;
    reader.view.detach();
    this.#askForMotion();
    if (!this.isUnused) {
      this.#subscribeSoon(NARROW_AFTER_MS);
      return;
    }
    this.#cancelSubscribe();
    this.close();
  }

  /**
   * Let a reader have other pillows.
   *
   * @param {Reader} reader
   * @param {import("./subscription.js").Pillows} pillows
   */
  change(reader, pillows) {
    const isJoined = this.#readers.remove(reader);
    reader.pillows = pillows;
    reader.view.select(pillows);
    if (!isJoined) return;
    this.#readers.add(reader);
    // One reader's changes are few, as they are without sharing.
    if (this.#readers.size === 1) this.#subscribeNow();
    else this.#subscribeSoon(SUBSCRIBE_INTERVAL_MS);
    this.#admitSoon(reader);
  }

  /**
   * Let a reader have the motion of these pillows; the session asks for what all of them want.
   *
   * @param {Reader} reader
   * @param {string[]} pillows
   */
  changeMotion(reader, pillows) {
    reader.motion = pillows;
    this.#askForMotion();
  }

  #askForMotion() {
    this.subscribeMotion([...this.#readers].flatMap(({ motion }) => motion));
  }

  /** @override @param {Update[]} updates */
  moved(updates) {
    for (const [reader, own] of this.#readers.distribute(updates)) {
      if (!reader.view.isSynced) continue;
      reader.view.apply(own);
      reader.onMotion(own.flatMap(({ pillow }) => pillow ?? []));
    }
  }

  /** Whether a refusal has still to be written to the console, which one of the readers does. */
  takeRefusal() {
    const isFirst = !this.#isRefusalWritten;
    this.#isRefusalWritten = true;
    return isFirst;
  }

  /** @override */
  statusChanged() {
    const { phase } = this.status;
    for (const reader of [...this.#readers]) {
      if (phase !== "open") reader.view.lost();
      reader.onStatus();
    }
  }

  /**
   * @override
   * @param {Update[]} updates
   * @param {import("./frames.js").Frame} frame
   */
  applied(updates, frame) {
    const ofReaders = this.#readers.distribute(updates);
    if (frame.type === "snapshot") {
      this.#isRefusalWritten = false;
      this.#applySnapshot(ofReaders, frame);
      return;
    }
    for (const [reader, own] of ofReaders) {
      if (!reader.view.isSynced) continue;
      reader.view.apply(own);
      reader.onFrame(changeDetail(own, frame), false);
    }
    if (frame.type === "status") [...this.#readers].forEach((reader) => reader.onFrame(null, false));
  }

  /**
   * Give each reader whose pillows were requested its part of a snapshot. One that has all of its states
   * gets only what differs: the snapshot is for others.
   *
   * @param {Map<Reader, Update[]>} ofReaders
   * @param {import("./frames.js").SnapshotFrame} frame
   */
  #applySnapshot(ofReaders, frame) {
    const ids = this.#requestedIds();
    for (const reader of [...this.#readers]) {
      const { view } = reader;
      const coverage = view.coverage(ids);
      if (coverage === "none") continue;
      const all = ofReaders.get(reader) ?? NOTHING;
      let own = view.isComplete ? view.unknownOf(all) : view.related(all);
      view.isSynced = true;
      // Also of a state that it has the sign of life is a newer one.
      view.apply(all);
      const isEnd = coverage === "all" && frame.more !== true && !view.isComplete;
      if (isEnd) own = this.#complete(reader, own);
      reader.onFrame(own.length > 0 ? changeDetail(own, frame) : null, isEnd);
    }
  }

  /**
   * @param {Reader} reader
   * @param {Update[]} own what it has just got
   * @returns {Update[]} these and what was missing
   */
  #complete({ view }, own) {
    const missing = view.missing();
    view.apply(missing);
    view.isSynced = view.isComplete = true;
    return missing.length > 0 ? [...own, ...missing] : own;
  }

  /** Give a reader what is known already, once its creator can listen. @param {Reader} reader */
  #admitSoon(reader) {
    queueMicrotask(() => {
      const isWaiting = this.#readers.has(reader) && !reader.view.isComplete;
      const isIdle = this.liveness.synced && this.subscription.isAnswered && !this.store.isLoading;
      if (!isWaiting || !isIdle || reader.view.coverage(this.#requestedIds()) !== "all") return;
      const updates = this.#complete(reader, NOTHING);
      const detail = { ...changeDetail(updates, { type: "unknown" }), isSnapshot: true };
      reader.onFrame(updates.length > 0 ? detail : null, true);
    });
  }

  #requestedIds() {
    const requested = this.subscription.requested ?? [];
    return requested === "all" ? null : new Set(requested);
  }

  /** Subscribe to what the readers want, once for all that come in one task. @param {number} ms at most */
  #subscribeSoon(ms) {
    const now = this.#monotonic();
    const isWider = ms === SUBSCRIBE_INTERVAL_MS;
    const dueAt = isWider ? Math.max(now, this.#subscribedAt + ms) : now + ms;
    if (this.#pending !== null && this.#pending.dueAt <= dueAt) return;
    this.#cancelSubscribe();
    const pending = { dueAt, timer: /** @type {unknown} */ (null) };
    this.#pending = pending;
    const subscribe = () => {
      if (this.#pending !== pending) return;
      this.#pending = null;
      this.#subscribeNow();
    };
    if (dueAt <= now) queueMicrotask(subscribe);
    else pending.timer = this.#timers.setTimeout(subscribe, dueAt - now);
  }

  #cancelSubscribe() {
    this.#timers.clearTimeout(this.#pending?.timer);
    this.#pending = null;
  }

  #subscribeNow() {
    if (this.isUnused || !this.#setPillows()) return;
    this.#subscribedAt = this.#monotonic();
    this.subscribe(this.subscription.pillows);
  }

  /** Want what all readers want. @returns {boolean} whether that is something else than before */
  #setPillows() {
    const { pillows } = this.#readers;
    const wanted = pillows === "all" ? pillows : nameable(pillows);
    if (isSameSet(wanted, this.subscription.pillows)) return false;
    this.subscription.pillows = wanted;
    return true;
  }
}

/**
 * @param {import("./subscription.js").Pillows} one
 * @param {import("./subscription.js").Pillows} other
 */
function isSameSet(one, other) {
  if (one === "all" || other === "all") return one === other;
  return one.length === other.length && [...one].sort().join() === [...other].sort().join();
}
