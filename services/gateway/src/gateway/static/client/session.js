/**
 * A session with a gateway: what it has said, over one connection that is made again after a loss.
 *
 * The page has one of its own. shared_session.js shares one between the clients of a program.
 */

import { changeDetail, createEvent, FaultLog, StateReporter } from "./client_events.js";
import { ClientState } from "./client_state.js";
import { Connection } from "./connection.js";
import { Liveness } from "./freshness.js";
import { gatewayFolder, streamUrl } from "./gateway_url.js";
import { MotionRequests } from "./motion_requests.js";
import { HIDDEN_EVENTS_TIMEOUT_MS, HIDDEN_TIMEOUT_MS, PageLifecycle } from "./page_lifecycle.js";
import { ShownReporter } from "./shown_reporter.js";
import { TIMERS } from "./sockets.js";
import { SseSocket } from "./sse.js";
import { Store } from "./store.js";
import { subscribeFrame, Subscription } from "./subscription.js";
import { Timekeeper } from "./timekeeper.js";
import { Tokens } from "./tokens.js";

/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./options.js").AllOptions} AllOptions */

/**
 * Events:
 * - `change` (ChangeEvent): there are new states
 * - `connection` (ConnectionEvent): whether the known states are live has changed, or `status` has
 * - `watching` (WatchingEvent): the number of the gateway's clients has changed
 * - `motion` (MotionEvent): samples of present states have come, which have them now
 * - `fault` (FaultEvent): a frame or a pillow was invalid and is ignored; `detail` is its FrameError
 */
export class Session extends ClientState {
  store;
  time;
  liveness;
  subscription;
  #folder;
  #connection;
  #lifecycle;
  #tokens;
  #shown;
  #motion;
  #hasMotion;
  #faultLog = new FaultLog(this);
  #reporter;
  /** The message of the gateway's newest `error` frame. */
  #gatewayError = "";

  /** @param {AllOptions} options which are valid */
  constructor({ url, pillows = "all", cursor = null, token, hiddenTimeoutMs, reportShown = false, motion = "all", page, ...injected }) {
    const store = new Store(cursor);
    const time = new Timekeeper(injected, { ping: () => this.#ping(), onJump: (ms) => this.#connection.probe(ms) });
    const liveness = new Liveness(time.monotonic());
    super({ store, time, liveness });
    this.store = store;
    this.time = time;
    this.liveness = liveness;
    this.#reporter = new StateReporter(this, liveness);
    this.#folder = gatewayFolder(url);
    this.subscription = new Subscription(pillows, cursor !== null);
    this.#shown = new ShownReporter(reportShown ? (injected.random ?? Math.random)() : 1);
    const timers = injected.timers ?? TIMERS;
    this.#hasMotion = motion === "all";
    this.#motion = new MotionRequests(timers, () => time.monotonic(), (text) => this.#connection.send(text));
    const callbacks = {
      onWake: () => this.wake(),
      onOffline: () => this.#connection.networkLost(),
      onSuspend: (/** @type {string} */ reason) => this.#connection.suspend(reason),
    };
    this.#lifecycle = new PageLifecycle(page, callbacks, timers, () => {
      const chosen = typeof hiddenTimeoutMs === "function" ? hiddenTimeoutMs() : hiddenTimeoutMs;
      if (chosen !== undefined) return chosen;
      return this.#connection.status.transport === "events" ? HIDDEN_EVENTS_TIMEOUT_MS : HIDDEN_TIMEOUT_MS;
    });
    this.#tokens = new Tokens(token, { timers, clock: injected.clock ?? Date.now }, {
      send: (text) => this.#connection.send(JSON.stringify({ type: "token", token: text })),
      onFault: (reason) => this.#connection.lose(reason),
    });
    const fetch = injected.fetch ?? globalThis.fetch?.bind(globalThis);
    this.#connection = new Connection({
      ...injected,
      events: injected.events === undefined && fetch !== undefined ? (address) => new SseSocket(address, fetch, () => this.#tokens.current()) : injected.events,
      address: (transport) => this.#address(transport),
      onMessage: (data) => this.#onMessage(data),
      onStatus: (status) => this.#onStatus(status),
      sendProbe: () => this.#ping(),
      isOffline: () => this.#lifecycle.isOffline,
      // A token that expired is no refusal where another can be had.
      mayRenew: () => this.liveness.synced && this.#tokens.isRenewable,
    });
  }

  /** What the connection does, when the next attempt is, and why. @returns {Status} */
  get status() {
    const status = this.#connection.status;
    return { ...status, reason: this.#gatewayError || status.reason };
  }

  /** The gateway, for a person. */
  get address() {
    return this.#folder.origin + this.#folder.pathname;
  }

  /** How many frames, and pillows within frames, were invalid and are ignored. */
  get faults() {
    return this.#faultLog.count;
  }

  /** Monotonic time in ms of the last message; null before the first. */
  get lastReceivedAt() {
    return this.#connection.lastReceivedAt;
  }

  /** Subscribe to these pillows instead. @param {import("./subscription.js").Pillows} pillows valid ones */
  subscribe(pillows) {
    this.subscription.pillows = pillows;
    this.#requestIfDue();
    this.#connection.addressChanged();
  }

  /**
   * Say that these states are on the screen. Some of it is reported, if the option `reportShown` is set and
   * the gateway asks this client: at most once a second.
   *
   * @param {Pillow[]} pillows
   * @param {number} [shown] when, in the gateway's time; now by default
   */
  shown(pillows, shown = this.now()) {
    const text = this.#shown.report(pillows, shown, this.time.monotonic());
    if (text !== null) this.#connection.send(text);
  }

  /** Receive the motion of these pillows, where states have none: an event `motion` follows such a change. @param {Iterable<string>} pillows at most 256 */
  subscribeMotion(pillows) {
    this.#motion.want(pillows);
  }

  /** Connect; without effect if it is connected already. */
  open() {
    this.#lifecycle.start();
    if (this.#connection.phase === "idle") this.liveness.lost = false;
    this.#reporter.whileOpening(() => this.#connection.open());
    return this;
  }

  /** Try again now instead of after the delay; also after a refusal. */
  retry() {
    this.#connection.open();
  }

  /** Disconnect; `open()` connects again. */
  close() {
    this.#lifecycle.stop();
    this.#connection.close();
  }

  /** Try now, because the network or the visitor is back. */
  wake() {
    // The visitor is back: what is shown is not lost until an attempt fails.
    if (this.#connection.phase === "suspended") this.liveness.lost = false;
    this.#connection.wake();
  }

  /** @param {import("./sockets.js").Transport} transport */
  #address(transport) {
    const address = streamUrl(this.#folder);
    // On an event stream nobody can ask for samples.
    if (!this.#hasMotion && transport === "websocket") address.searchParams.set("motion", "none");
    // An event stream cannot send the pillows that the URL does not name.
    this.subscription.requestByUrl(address.searchParams, this.store.cursor, { isComplete: transport === "events" });
    return address.href;
  }

  #requestIfDue() {
    if (!this.subscription.isRequestDue) return;
    if (this.#connection.send(subscribeFrame(this.subscription.pillows))) this.subscription.sent();
  }

  /** @param {unknown} data */
  #onMessage(data) {
    const frame = this.#faultLog.parse(data);
    if (frame === null) return;
    const now = this.time.monotonic();
    const isLast = frame.type === "snapshot" && this.#onSnapshot(frame);
    this.time.observe(frame, now);
    if (frame.type === "goodbye") this.#connection.setReconnectWindow(frame.reconnect_ms);
    if (frame.type === "error") this.#gatewayError = frame.message;

    const updates = this.store.apply(frame, now, isLast);
    this.#reporter.reportWatching();
    if (frame.type === "motion") return this.moved(updates);
    this.applied(updates, frame);
    if (frame.type === "snapshot") this.#requestIfDue();
  }

  /**
   * A frame was applied to the store.
   *
   * @param {import("./store.js").Update[]} updates
   * @param {import("./frames.js").Frame} frame
   */
  applied(updates, frame) {
    this.#reportConnection();
    if (updates.length > 0) this.dispatchEvent(createEvent("change", changeDetail(updates, frame)));
  }

  /** Samples have come: `updates` are the states that have them now. @param {import("./store.js").Update[]} updates */
  moved(updates) {
    const pillows = updates.flatMap(({ pillow }) => pillow ?? []);
    if (pillows.length > 0) this.dispatchEvent(createEvent("motion", { pillows }));
  }

  /** `status` has changed. */
  statusChanged() {
    this.#reportConnection({ hasStatusChanged: true });
  }

  /**
   * @param {import("./frames.js").SnapshotFrame} frame
   * @returns {boolean} whether the client has all that it wants then
   */
  #onSnapshot(frame) {
    this.#gatewayError = "";
    this.#shown.ask(frame.shown);
    this.#motion.answered(frame.motion === "none");
    if (!this.liveness.synced) this.time.start();
    this.liveness.synced = true;
    return this.subscription.answered(frame.more === true);
  }

  /** @param {Status} status */
  #onStatus({ phase, code, transport }) {
    if (phase !== "open") {
      this.liveness.synced = false;
      this.store.watching = null;
      this.#reporter.reportWatching();
      this.time.stop();
      this.#tokens.stop();
      this.#motion.stop();
    } else if (transport === "websocket") {
      this.#tokens.start();
    }
    if (phase !== "open" && phase !== "connecting") this.liveness.lost = true;
    this.statusChanged();
  }

  /** @param {{hasStatusChanged: boolean}} [what] */
  #reportConnection(what) {
    this.#reporter.reportConnection(this.store.broker, { now: this.time.monotonic(), lastReceivedAt: this.lastReceivedAt }, what);
  }

  #ping() {
    this.#connection.send(JSON.stringify({ type: "ping", sent: this.time.pingTime() }));
  }
}
