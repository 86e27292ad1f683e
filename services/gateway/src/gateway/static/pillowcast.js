/**
 * Pillowcast's client: the live state of cloud pillows, in any page or program.
 *
 *     import { connect } from "https://pillows.example/pillowcast.js";
 *
 *     const clouds = connect({ pillows: ["cloud-1"] });
 *     clouds.addEventListener("change", ({ detail }) => {
 *       for (const id of detail.changed) console.log(id, clouds.pillows.get(id).state);
 *     });
 *
 * It keeps one WebSocket to the gateway, comes back by itself, resumes where it was, and says
 * at every moment whether what it knows is live.
 */

import { ServerClock } from "./clock.js";
import { Connection } from "./connection.js";
import { FrameError, parseFrame } from "./frames.js";
import { delay, freshness, pageFreshness, Store } from "./store.js";

/** The first pings come close together, for a good look at the clocks; then one a minute. */
const PING_AFTER_MS = [0, 1_000, 3_000];
const PING_EVERY_MS = 60_000;

/**
 * @typedef {object} Options
 * @property {string} [url] the gateway, as `https://host/`; the one this module came from
 * @property {string[] | "all"} [pillows] which pillows; all of them
 * @property {(event: Event & {detail: object}) => void} [onChange] listener for `change`
 * @property {(event: Event & {detail: object}) => void} [onConnection] listener for `connection`
 */

/** Make a client and connect it. @param {Options} [options] */
export function connect(options) {
  return new Pillowcast(options).open();
}

/**
 * Events:
 * - `change`: `detail.changed` and `detail.removed` are lists of ids, `detail.delay` the time
 *   the newest of them took, or null
 * - `connection`: whether what is known is live has changed, or the wait for it has
 * - `fault`: `detail` is the FrameError of a frame that was refused
 */
export class Pillowcast extends EventTarget {
  #base;
  #wanted;
  #store = new Store();
  #serverClock = new ServerClock();
  #connection;
  #clock;
  #timers;
  #page;

  #synced = false;
  #lost = false;
  // A cursor covers the pillows that were asked for when it was given, and no others: what was
  // asked on this connection is remembered in order until the snapshot that answers it comes.
  #asked = [];
  #covered = null;
  #pingTimer = null;
  #complaint = "";
  #shown = { connection: "connecting", since: 0 };

  /**
   * @param {Options & {WebSocket?: Function, clock?: () => number, random?: () => number,
   *   timers?: object, page?: {window?: EventTarget, document?: EventTarget}}} [options]
   */
  constructor({ url, pillows = "all", onChange, onConnection, page, ...injected } = {}) {
    super();
    this.#base = url === undefined ? new URL(".", import.meta.url) : new URL(url);
    this.#wanted = pillows;
    this.#clock = injected.clock ?? Date.now;
    this.#timers = injected.timers ?? {
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (timer) => clearTimeout(timer),
    };
    this.#page = page ?? { window: globalThis.window, document: globalThis.document };
    this.#shown.since = this.#clock();
    this.#connection = new Connection({
      ...injected,
      address: () => this.#address(),
      onText: (text) => this.#hear(text),
      onStatus: (status) => this.#follow(status),
      onProbe: () => this.#ping(),
    });
    if (onChange) this.addEventListener("change", onChange);
    if (onConnection) this.addEventListener("connection", onConnection);
  }

  /** The newest state of each pillow, by id; the gateway's own objects, not to be changed. */
  get pillows() {
    return this.#store.pillows;
  }

  /** Whether what is known is live: `connecting`, `live`, `broker-offline` or `disconnected`. */
  get connection() {
    return this.#shown.connection;
  }

  /** Local time in ms since when `connection` is what it is. */
  get since() {
    return this.#shown.since;
  }

  /** What the socket is doing, when it will try again, and why. */
  get status() {
    const status = this.#connection.status;
    return { ...status, reason: this.#complaint || status.reason };
  }

  /** Shortest time to the gateway and back, in ms; null before it was measured. */
  get roundTripMs() {
    return this.#serverClock.roundTripMs;
  }

  /** The gateway's time, in ms since 1970. */
  now() {
    return this.#serverClock.at(this.#clock());
  }

  /** How long ago the state of a pillow was true, in ms; NaN when the pillow is not known. */
  age(id) {
    return this.now() - this.#store.asOf(id);
  }

  /**
   * How fresh a pillow is: `live`, `quiet` or `notconnected` while the connection is live;
   * `stale` while it is not; `unknown` when nothing was ever heard of it.
   */
  freshness(id) {
    const pillow = this.#store.pillows.get(id);
    if (pillow === undefined) return "unknown";
    if (this.connection !== "live") return "stale";
    return freshness(pillow, this.age(id));
  }

  /** Ask for other pillows. @param {string[] | "all"} pillows */
  subscribe(pillows) {
    this.#wanted = pillows;
    this.#ask();
  }

  open() {
    this.#page.window?.addEventListener("online", this.#hurry);
    this.#page.document?.addEventListener("visibilitychange", this.#hurry);
    this.#connection.open();
    return this;
  }

  /** Try again now instead of after the wait; also after a stop. */
  retry() {
    this.#connection.open();
  }

  close() {
    this.#page.window?.removeEventListener("online", this.#hurry);
    this.#page.document?.removeEventListener("visibilitychange", this.#hurry);
    this.#connection.close();
  }

  #hurry = (event) => {
    const isHidden = event.type === "visibilitychange" && this.#page.document.visibilityState !== "visible";
    if (!isHidden) this.#connection.hurry();
  };

  #address() {
    const address = new URL("ws", this.#base);
    address.protocol = address.protocol.replace("http", "ws");
    if (this.#wanted !== "all") {
      for (const id of this.#wanted) address.searchParams.append("pillow", id);
    }
    if (this.#covered === this.#wanted) address.searchParams.set("since", this.#store.cursor);
    this.#asked = [this.#wanted];
    return address.href;
  }

  #ask() {
    const frame = JSON.stringify({ type: "subscribe", pillows: this.#wanted });
    if (this.#connection.send(frame)) this.#asked.push(this.#wanted);
  }

  #hear(text) {
    let frame;
    try {
      frame = parseFrame(text);
    } catch (fault) {
      if (!(fault instanceof FrameError)) throw fault;
      this.#tell("fault", fault);
      return;
    }
    const now = this.#clock();
    if (frame.type === "snapshot") this.#sync();
    // A pong's `sent` is our own time come back, not the gateway's.
    if (frame.type === "pong") this.#serverClock.measured(frame, now);
    else if (frame.sent !== undefined) this.#serverClock.heard(frame.sent, now);
    if (frame.type === "goodbye") this.#connection.expectGoodbye(frame.reconnect_ms);
    if (frame.type === "error") this.#complaint = frame.message;

    const outcome = this.#store.apply(frame);
    this.#judge();
    if (outcome.changed.length + outcome.removed.length > 0) {
      this.#tell("change", { ...outcome, delay: this.#delayOf(frame) });
    }
  }

  #sync() {
    this.#covered = this.#asked.shift() ?? this.#covered;
    this.#complaint = "";
    if (this.#synced) return;
    this.#synced = true;
    // Another connection may lead to another machine, with another clock.
    this.#serverClock.reset();
    this.#pingSoon(0);
  }

  #follow(status) {
    // Other pillows may have been asked for while the socket was on its way.
    if (status.phase === "open" && this.#asked.at(-1) !== this.#wanted) this.#ask();
    if (status.phase !== "open") {
      this.#synced = false;
      this.#timers.clearTimeout(this.#pingTimer);
      this.#pingTimer = null;
    }
    if (status.phase === "waiting" || status.phase === "stopped") this.#lost = true;
    this.#judge({ hasNews: true });
  }

  /** Work out anew whether what is known is live, and say so when that changed. */
  #judge({ hasNews = false } = {}) {
    const facts = { synced: this.#synced, lost: this.#lost, broker: this.#store.broker };
    const connection = pageFreshness(facts);
    const hasTurned = connection !== this.#shown.connection;
    if (hasTurned) {
      // A dead connection was dead before it was noticed.
      const isLoss = connection === "disconnected";
      const since = (isLoss ? this.#connection.lastHeard : null) ?? this.#clock();
      this.#shown = { connection, since };
    }
    if (hasTurned || hasNews) this.#tell("connection", { ...this.#shown });
  }

  #delayOf(frame) {
    if (frame.type !== "update") return null;
    const now = this.now();
    const newest = frame.pillows.at(-1);
    return newest === undefined || newest.state === "notconnected" ? null : delay(newest, now);
  }

  #ping() {
    this.#connection.send(JSON.stringify({ type: "ping", sent: this.#clock() }));
  }

  #pingSoon(count) {
    this.#pingTimer = this.#timers.setTimeout(() => {
      this.#ping();
      this.#pingSoon(count + 1);
    }, PING_AFTER_MS[count] ?? PING_EVERY_MS);
  }

  #tell(type, detail) {
    this.dispatchEvent(Object.assign(new Event(type), { detail }));
  }
}
