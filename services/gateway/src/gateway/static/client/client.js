/**
 * The client: a handle of a session, which it may share with others. It has its own pillows, listeners,
 * loops and end.
 */

import { addAbortCallback, removeAbortCallback } from "./abort_signals.js";
import { createEvent, StateReporter } from "./client_events.js";
import { ClientState } from "./client_state.js";
import { ASYNC_DISPOSE, DISPOSE } from "./dispose.js";
import { RefusedError } from "./errors.js";
import { FrameError } from "./frames.js";
import { Liveness } from "./freshness.js";
import { checkMotion, checkOptions, checkPillows } from "./options.js";
import { Readiness } from "./readiness.js";
import { findSession, offerSession, withdrawSession } from "./sessions.js";
import { SharedSession } from "./shared_session.js";
import { TIMERS } from "./sockets.js";
import { UpdateIterators } from "./update_iterator.js";
import { View } from "./view.js";

/** @typedef {import("./client_events.js").ChangeDetail} ChangeDetail */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./options.js").AllOptions} AllOptions */
/** @typedef {Pick<AllOptions, "signal" | "onChange" | "onConnection">} WatchOptions */

/**
 * The live state of pillows.
 *
 * Events:
 * - `change` (ChangeEvent): there are new states
 * - `connection` (ConnectionEvent): whether the known states are live has changed, or `status` has
 * - `watching` (WatchingEvent): the number of the gateway's clients has changed
 * - `motion` (MotionEvent): samples have come of states, which have them as `motion` now; see `subscribeMotion`
 * - `fault` (FaultEvent): a frame or a pillow was invalid and is ignored; `detail` is its FrameError
 *
 * `for await` over it gives every Update, beginning with the known states.
 */
export class Pillowcast extends ClientState {
  #options;
  #session;
  #known;
  #view;
  #liveness;
  #timers;
  #reporter;
  #readiness = new Readiness();
  #iterators = new UpdateIterators(() => this.#onLoopsLeft());
  /** @type {import("./shared_session.js").Reader} */
  #reader;
  /** The handles of `watch` that have not ended. @type {Set<Pillowcast>} */
  #watches = new Set();
  #isJoined = false;
  /** Whether it was closed because its last loop was left; another loop opens it again. */
  #isUnread = false;
  /** The client whose `watch` gave this one. @type {Pillowcast | null} */
  #parent = null;

  /**
   * @param {AllOptions} [options]
   * @param {SharedSession} [session] of another client
   */
  constructor(options = {}, session = undefined) {
    const { pillows = "all", cursor = null, onChange, onConnection } = checkOptions(options);
    session ??= findSession(options) ?? new SharedSession(options);
    const view = new View(pillows, cursor);
    const known = { store: view, time: session.time, liveness: new Liveness(session.time.monotonic()) };
    super(known);
    this.#options = options;
    this.#session = session;
    this.#known = known;
    this.#view = view;
    this.#liveness = known.liveness;
    this.#reporter = new StateReporter(this, known.liveness);
    this.#timers = options.timers ?? TIMERS;
    this.#reader = {
      pillows,
      view,
      onFrame: (detail, isComplete) => this.#onFrame(detail, isComplete),
      motion: [],
      onMotion: (pillows) => this.dispatchEvent(createEvent("motion", { pillows })),
      onStatus: () => this.#onStatus(),
      onWatching: () => this.#reporter.reportWatching(),
      // Of its own class, because the session may be that of another bundle.
      onFault: ({ message }) => this.dispatchEvent(createEvent("fault", new FrameError(message))),
    };
    if (onChange) this.addEventListener("change", onChange);
    if (onConnection) this.addEventListener("connection", onConnection);
  }

  /** What the connection does, when the next attempt is, and why. @returns {Status} */
  get status() {
    const { status } = this.#session;
    return this.#isJoined ? status : { ...status, phase: "idle", retryInMs: null, retryAt: null, code: null, reason: "" };
  }

  /** How many frames, and pillows within frames, were invalid and are ignored, of all that the connection brought. */
  get faults() {
    return this.#session.faults;
  }

  /** Resolves with the client when it has all states; rejects if it is refused or closed before that. @returns {Promise<this>} */
  get ready() {
    return this.#readiness.promise;
  }

  /**
   * Watch some pillows apart from others, over the same connection. The handle has its own end, and ends with
   * this client at the latest.
   *
   * @param {string | string[] | "all"} pillows an id, or ids
   * @param {WatchOptions} [options]
   * @returns {Pillowcast}
   */
  watch(pillows, { signal, onChange, onConnection } = {}) {
    const own = { signal, onChange, onConnection, cursor: null, share: false };
    const ids = typeof pillows === "string" && pillows !== "all" ? [pillows] : pillows;
    const handle = new Pillowcast({ ...this.#options, ...own, pillows: ids }, this.#session);
    handle.#parent = this;
    return handle.open();
  }

  /** Subscribe to these pillows instead. @param {string[] | "all"} pillows */
  subscribe(pillows) {
    this.#session.change(this.#reader, checkPillows(pillows));
  }

  /**
   * Receive the motion of these pillows, and of no others, if the option `motion` is "none". It comes behind the
   * state that it is of, as an event `motion`; what comes while the connection is lost or slow is not sent later.
   *
   * @param {string[]} pillows at most 256 ids; none ends it
   */
  subscribeMotion(pillows) {
    if (this.#options.motion !== "none") throw new TypeError('states have their motion: connect with { motion: "none" } to ask for that of some');
    this.#session.changeMotion(this.#reader, [...checkMotion(pillows)]);
  }

  /**
   * Note that these states are on the screen. If the option `reportShown` is set and the gateway asks this
   * client, one of them is reported to it, at most once a second.
   *
   * @param {Pillow[]} pillows
   * @param {number} [shown] when, in the gateway's time; now by default
   */
  shown(pillows, shown = this.now()) {
    this.#session.shown(pillows, shown);
  }

  /** Connect; without effect if it is connected already, or if its signal was aborted. */
  open() {
    const { signal } = this.#options;
    if (signal?.aborted) {
      this.#readiness.fail(signal.reason);
      return this;
    }
    if (signal !== undefined) addAbortCallback(signal, this.#onAbort);
    if (this.#parent !== null) this.#parent.#watches.add(this);
    this.#isUnread = false;
    this.#reporter.whileOpening(() => (this.#isJoined ? this.#session.open() : this.#join()));
    return this;
  }

  /** Try again now instead of after the delay; also after a refusal. */
  retry() {
    if (this.#isJoined) this.#session.retry();
    else this.open();
  }

  /** End: every `for await` ends, and the connection if no other client has it. `open()` connects again. */
  close() {
    for (const handle of this.#watches) handle.close();
    const { signal } = this.#options;
    if (signal !== undefined) removeAbortCallback(signal, this.#onAbort);
    this.#leave();
    this.#iterators.end();
    this.#readiness.fail(signal?.aborted ? signal.reason : new DOMException("the client was closed", "AbortError"));
    this.#isUnread = false;
    if (this.#parent !== null) this.#parent.#watches.delete(this);
  }

  /** `using` closes the client. */
  [DISPOSE]() {
    this.close();
  }

  async [ASYNC_DISPOSE]() {
    this.close();
  }

  /** Every update, beginning with the known states. */
  [Symbol.asyncIterator]() {
    if (this.#isUnread) this.open();
    const iterator = this.#iterators.create(this.#view);
    const { phase, code, reason } = this.status;
    if (phase === "stopped") iterator.end(this.#readiness.reported(new RefusedError(code, reason)));
    else if (phase === "idle") iterator.end();
    return iterator;
  }

  #onAbort = () => this.close();

  #join() {
    this.#session = findSession(this.#options) ?? this.#session;
    this.#known.time = this.#session.time;
    this.#isJoined = true;
    this.#liveness.lost = false;
    this.#readiness.restart();
    offerSession(this.#session, this.#options);
    this.#session.join(this.#reader);
  }

  #leave() {
    const session = this.#session;
    session.leave(this.#reader);
    if (session.isUnused) withdrawSession(session);
    this.#isJoined = false;
    this.#liveness.lost = true;
    this.#reporter.reportWatching();
    this.#reportConnection({ hasStatusChanged: true });
  }

  /** Close once nothing reads it, because the open connection would keep a program running. */
  #onLoopsLeft() {
    this.#timers.setTimeout(() => {
      const isRead = this.#iterators.size > 0 || this.#watches.size > 0 || this.hasListener() || this.#readiness.isAwaited;
      if (isRead || !this.#isJoined || this.status.phase === "stopped") return;
      this.close();
      this.#isUnread = true;
    }, 0);
  }

  /**
   * @param {ChangeDetail | null} detail
   * @param {boolean} isComplete
   */
  #onFrame(detail, isComplete) {
    this.#reporter.reportWatching();
    this.#reportConnection();
    if (detail !== null) {
      this.#iterators.push(detail.updates);
      this.dispatchEvent(createEvent("change", detail));
    }
    if (isComplete) this.#readiness.succeed(this);
  }

  #onStatus() {
    const { phase, code, reason } = this.#session.status;
    if (phase === "connecting") this.#readiness.restart();
    if (phase !== "open") this.#liveness.lost = this.#session.liveness.lost;
    this.#reportConnection({ hasStatusChanged: true });
    if (phase !== "stopped") return;
    const error = new RefusedError(code, reason);
    if (this.#iterators.size > 0) this.#readiness.reported(error);
    this.#iterators.end(error);
    this.#readiness.refuse(error, this.#session.address, () => this.hasListener("connection") || !this.#session.takeRefusal());
  }

  /** @param {{hasStatusChanged: boolean}} [what] */
  #reportConnection(what) {
    this.#liveness.synced = this.#view.isSynced;
    const { time, lastReceivedAt } = this.#session;
    this.#reporter.reportConnection(this.#view.broker, { now: time.monotonic(), lastReceivedAt }, what);
  }
}
