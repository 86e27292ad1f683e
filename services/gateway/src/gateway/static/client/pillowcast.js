/**
 * Pillowcast's client: the live state of cloud pillows, in any page or program.
 *
 *     import { connect } from "https://pillows.example/pillowcast.js";
 *
 *     for await (const { id, pillow } of connect({ pillows: ["cloud-1"] })) {
 *       console.log(id, pillow ? pillow.state : "removed");
 *     }
 *
 * It keeps one connection to the gateway, comes back by itself, resumes where it was, and says
 * at every moment whether what it knows is live.
 */

import { webAddress } from "./address.js";
import { ServerClock } from "./clock.js";
import { Connection, TIMERS } from "./connection.js";
import { EventStream } from "./events.js";
import { FrameError, isPillowId, parseFrame } from "./frames.js";
import { freshness, pageFreshness, Store } from "./store.js";
import { Updates } from "./updates.js";

export { journey, quantile } from "./hops.js";
export { FrameError, isPillowId } from "./frames.js";
export { instant } from "./store.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./frames.js").Hops} Hops */
/** @typedef {import("./store.js").Update} Update */
/** @typedef {import("./store.js").Freshness} Freshness */
/** @typedef {import("./store.js").PillowFreshness} PillowFreshness */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./connection.js").Surroundings} Surroundings */
/** @typedef {import("./hops.js").Journey} Journey */

/** The first pings come close together, for a good look at the clocks; then one a minute. */
const PING_AFTER_MS = [0, 1_000, 3_000];
const PING_EVERY_MS = 60_000;

/**
 * What a `change` event tells.
 *
 * @typedef {object} ChangeDetail
 * @property {Update[]} updates every state that is news, in order
 * @property {string[]} changed the ids of pillows with a new state, each once
 * @property {string[]} removed the ids of pillows that are no more
 * @property {boolean} isSnapshot whether it is what is known, and not what happens
 * @property {boolean} isResumed of a snapshot: whether it is only what changed since the cursor, and
 *   what was known before still holds
 * @property {number | null} sent when the gateway sent it, ms on its clock
 */

/** What a `connection` event tells. @typedef {{connection: Freshness, since: number}} ConnectionDetail */
/** @typedef {CustomEvent<ChangeDetail>} ChangeEvent */
/** @typedef {CustomEvent<ConnectionDetail>} ConnectionEvent */
/** @typedef {CustomEvent<FrameError>} FaultEvent */
// By what is there, so that neither the types of a browser nor those of Node.js are needed.
/** @typedef {Parameters<EventTarget["addEventListener"]>[1]} AnyListener */
/** @typedef {Parameters<EventTarget["addEventListener"]>[2]} ListenOptions */
/** @typedef {Parameters<EventTarget["removeEventListener"]>[2]} UnlistenOptions */
/** @typedef {{change: ChangeEvent, connection: ConnectionEvent, fault: FaultEvent}} Events */

/**
 * @typedef {object} Options
 * @property {string | URL} [url] the gateway, as `https://host/`; where it is left out, the one
 *   that this module or this page came from
 * @property {string[] | "all"} [pillows] which pillows; all of them
 * @property {string | null} [cursor] the `cursor` of a client of the same gateway and pillows that was
 *   here before: begin with what changed after it, where the gateway still knows
 * @property {AbortSignal} [signal] closes the client when it is aborted
 * @property {(event: ChangeEvent) => void} [onChange] listener for `change`
 * @property {(event: ConnectionEvent) => void} [onConnection] listener for `connection`
 */

/**
 * What a test or an unusual place replaces, beside the connection's own.
 *
 * @typedef {object} Injected
 * @property {typeof fetch} [fetch] for the stream as events
 * @property {{window?: EventTarget, document?: EventTarget & {visibilityState: string}}} [page] where
 *   `online` and `visibilitychange` are heard
 */

/** The gateway refused, and trying again would change nothing. */
export class RefusedError extends Error {
  /**
   * @param {number | null} code close code
   * @param {string} reason
   */
  constructor(code, reason) {
    super(`the gateway refused${code === null ? "" : ` (${code})`}: ${reason || "it did not say why"}`);
    this.name = "RefusedError";
    this.code = code;
  }
}

/**
 * Make a client and connect it.
 *
 * @param {Options & Injected & Surroundings} [options]
 */
export function connect(options) {
  return new Pillowcast(options).open();
}

/**
 * The live state of pillows.
 *
 * Events:
 * - `change` (ChangeEvent): states have come
 * - `connection` (ConnectionEvent): whether what is known is live has changed, or the wait for it
 * - `fault` (CustomEvent): `detail` is the FrameError of a frame that was refused
 *
 * `for await` over it gives every Update, beginning with what is known.
 */
export class Pillowcast extends EventTarget {
  #base;
  /** @type {string[] | "all"} */
  #wanted;
  #store;
  #serverClock = new ServerClock();
  #connection;
  #clock;
  #timers;
  #page;
  #signal;
  /** @type {Set<Updates>} */
  #readers = new Set();

  #synced = false;
  #lost = false;
  #isOpening = false;
  // A cursor covers the pillows that were asked for when it was given, and no others: what was
  // asked on this connection is remembered in order until the snapshot that answers it comes.
  /** @type {(string[] | "all")[]} */
  #asked = [];
  /** @type {string[] | "all" | null} */
  #covered = null;
  /** @type {unknown} */
  #pingTimer = null;
  #complaint = "";
  /** @type {ConnectionDetail} */
  #shown;

  /** @param {Options & Injected & Surroundings} [options] */
  constructor({ url, pillows = "all", cursor = null, signal, onChange, onConnection, page, ...injected } = {}) {
    super();
    this.#base = baseOf(url);
    this.#wanted = checked(pillows);
    if (cursor !== null && typeof cursor !== "string") throw new TypeError(`cursor is ${cursor}: give the text that a client told, or null`);
    this.#store = new Store(cursor);
    if (cursor !== null) this.#covered = this.#wanted;
    this.#signal = signal;
    this.#clock = injected.clock ?? Date.now;
    this.#timers = injected.timers ?? TIMERS;
    this.#page = page ?? { window: globalThis.window, document: globalThis.document };
    this.#shown = { connection: "connecting", since: this.#clock() };
    const get = injected.fetch ?? globalThis.fetch?.bind(globalThis);
    this.#connection = new Connection({
      events: get === undefined ? null : (address) => new EventStream(address, get),
      ...injected,
      address: () => this.#address(),
      onText: (text) => this.#hear(text),
      onStatus: (status) => this.#follow(status),
      onProbe: () => this.#ping(),
    });
    if (onChange) this.addEventListener("change", /** @type {EventListener} */ (onChange));
    if (onConnection) this.addEventListener("connection", /** @type {EventListener} */ (onConnection));
    signal?.addEventListener("abort", this.#aborted, { once: true });
  }

  /**
   * @template {keyof Events} T
   * @overload
   * @param {T} type
   * @param {(event: Events[T]) => void} listener
   * @param {ListenOptions} [options]
   * @returns {void}
   */
  /**
   * @overload
   * @param {string} type
   * @param {AnyListener} listener
   * @param {ListenOptions} [options]
   * @returns {void}
   */
  /**
   * @param {string} type
   * @param {any} listener
   * @param {ListenOptions} [options]
   */
  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
  }

  /**
   * @template {keyof Events} T
   * @overload
   * @param {T} type
   * @param {(event: Events[T]) => void} listener
   * @param {UnlistenOptions} [options]
   * @returns {void}
   */
  /**
   * @overload
   * @param {string} type
   * @param {AnyListener} listener
   * @param {UnlistenOptions} [options]
   * @returns {void}
   */
  /**
   * @param {string} type
   * @param {any} listener
   * @param {UnlistenOptions} [options]
   */
  removeEventListener(type, listener, options) {
    super.removeEventListener(type, listener, options);
  }

  /** Where in the stream this client is: with it as option, another one goes on from here; null at first. */
  get cursor() {
    return this.#store.cursor;
  }

  /** The newest state of each pillow, by id; the gateway's own objects, not to be changed. */
  get pillows() {
    return this.#store.pillows;
  }

  /** Whether what is known is live. */
  get connection() {
    return this.#shown.connection;
  }

  /** Local time in ms since when `connection` is what it is. */
  get since() {
    return this.#shown.since;
  }

  /** What the connection is doing, when it will try again, and why. @returns {Status} */
  get status() {
    const status = this.#connection.status;
    return { ...status, reason: this.#complaint || status.reason };
  }

  /** Shortest time to the gateway and back, in ms; null before it was measured. */
  get roundTripMs() {
    return this.#serverClock.roundTripMs;
  }

  /** By how many ms the gateway's clock is ahead of this one; null while nothing is known. */
  get clockOffsetMs() {
    return this.#serverClock.offsetMs;
  }

  /** The gateway's time, in ms since 1970. */
  now() {
    return this.#serverClock.at(this.#clock());
  }

  /** How long ago the state of a pillow was true, in ms; NaN when it is not known. @param {string} id */
  age(id) {
    return this.now() - this.#store.asOf(id);
  }

  /**
   * How fresh a pillow is: `live`, `quiet` or `notconnected` while the connection is live;
   * `stale` while it is not; `unknown` when nothing was ever heard of it.
   *
   * @param {string} id
   * @returns {PillowFreshness}
   */
  freshness(id) {
    const pillow = this.#store.pillows.get(id);
    if (pillow === undefined) return "unknown";
    if (this.connection !== "live") return "stale";
    return freshness(pillow, this.age(id));
  }

  /** Ask for other pillows. @param {string[] | "all"} pillows */
  subscribe(pillows) {
    this.#wanted = checked(pillows);
    this.#ask();
  }

  /** Connect; nothing when it is connected already, or its signal was aborted. */
  open() {
    if (this.#signal?.aborted) return this;
    this.#page.window?.addEventListener("online", this.#hurry);
    this.#page.document?.addEventListener("visibilitychange", this.#hurry);
    if (this.#connection.status.phase === "idle") this.#lost = false;
    this.#isOpening = true;
    this.#connection.open();
    this.#isOpening = false;
    return this;
  }

  /** Try again now instead of after the wait; also after a stop. */
  retry() {
    this.#connection.open();
  }

  /** Disconnect for good; every `for await` ends. */
  close() {
    this.#page.window?.removeEventListener("online", this.#hurry);
    this.#page.document?.removeEventListener("visibilitychange", this.#hurry);
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#connection.close();
    for (const reader of this.#readers) reader.end();
  }

  /** Every update, beginning with what is known. @returns {Updates} */
  [Symbol.asyncIterator]() {
    const reader = new Updates((ended) => this.#readers.delete(ended));
    const known = [...this.#store.pillows];
    known.forEach(([id, pillow], index) => {
      const cursor = index === known.length - 1 ? this.#store.cursor : null;
      reader.push({ id, pillow, previous: undefined, cursor });
    });
    this.#readers.add(reader);
    const { phase, code, reason } = this.status;
    if (phase === "stopped") reader.end(new RefusedError(code, reason));
    else if (phase === "idle") reader.end();
    return reader;
  }

  #aborted = () => this.close();

  /** @param {Event} event */
  #hurry = (event) => {
    const isHidden = event.type === "visibilitychange" && this.#page.document?.visibilityState !== "visible";
    if (!isHidden) this.#connection.hurry();
  };

  #address() {
    const address = new URL("ws", this.#base);
    address.protocol = address.protocol.replace("http", "ws");
    if (this.#wanted !== "all") {
      for (const id of this.#wanted) address.searchParams.append("pillow", id);
    }
    if (this.#covered === this.#wanted) address.searchParams.set("since", this.#store.cursor ?? "");
    this.#asked = [this.#wanted];
    return address.href;
  }

  #ask() {
    const frame = JSON.stringify({ type: "subscribe", pillows: this.#wanted });
    if (this.#connection.send(frame)) this.#asked.push(this.#wanted);
    else this.#connection.readdress();
  }

  /** @param {unknown} text */
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
    else if ("sent" in frame) this.#serverClock.heard(frame.sent, now);
    if (frame.type === "goodbye") this.#connection.expectGoodbye(frame.reconnect_ms);
    if (frame.type === "error") this.#complaint = frame.message;

    const updates = this.#store.apply(frame);
    this.#judge();
    if (updates.length > 0) this.#announce(updates, frame);
  }

  /**
   * @param {Update[]} updates
   * @param {Frame} frame
   */
  #announce(updates, frame) {
    for (const reader of this.#readers) updates.forEach((update) => reader.push(update));
    const gone = new Set(updates.filter(({ pillow }) => pillow === null).map(({ id }) => id));
    const changed = new Set(updates.map(({ id }) => id).filter((id) => !gone.has(id)));
    /** @type {ChangeDetail} */
    const detail = {
      updates,
      changed: [...changed],
      removed: [...gone],
      isSnapshot: frame.type === "snapshot",
      isResumed: frame.type === "snapshot" && frame.recovered,
      sent: "sent" in frame ? frame.sent : null,
    };
    this.#tell("change", detail);
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

  /** @param {Status} status */
  #follow(status) {
    // Other pillows may have been asked for while the connection was on its way.
    if (status.phase === "open" && this.#asked.at(-1) !== this.#wanted) this.#ask();
    if (status.phase !== "open") {
      this.#synced = false;
      this.#timers.clearTimeout(this.#pingTimer);
      this.#pingTimer = null;
    }
    if (status.phase !== "open" && status.phase !== "connecting") this.#lost = true;
    this.#judge({ hasNews: true });
    if (status.phase === "stopped") {
      const { code, reason } = this.status;
      for (const reader of this.#readers) reader.end(new RefusedError(code, reason));
    }
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
    if (!hasTurned && !hasNews) return;
    // Whoever is called by `connect` has not been given the client yet; and what is told later is
    // what is true then: a socket may fail at once.
    const tell = () => this.#tell("connection", { ...this.#shown });
    if (this.#isOpening) queueMicrotask(tell);
    else tell();
  }

  #ping() {
    this.#connection.send(JSON.stringify({ type: "ping", sent: this.#clock() }));
  }

  /** @param {number} count */
  #pingSoon(count) {
    this.#pingTimer = this.#timers.setTimeout(() => {
      this.#ping();
      this.#pingSoon(count + 1);
    }, PING_AFTER_MS[count] ?? PING_EVERY_MS);
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  #tell(type, detail) {
    // Node.js 18 has no CustomEvent.
    this.dispatchEvent(Object.assign(new Event(type), { detail }));
  }
}

/**
 * The folder that the gateway's endpoints are in.
 *
 * @param {string | URL | undefined} url
 */
function baseOf(url) {
  const given = url ?? globalThis.document?.baseURI;
  const base = webAddress(given, globalThis.document?.baseURI);
  if (base === null) throw new TypeError(`url is ${given ?? "missing"}: say where the gateway is, as https://host/`);
  if (url !== undefined && !base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

/**
 * What was asked for, if it can be: an empty list would ask the gateway for all.
 *
 * @param {string[] | "all"} pillows
 */
function checked(pillows) {
  if (pillows === "all") return pillows;
  if (!Array.isArray(pillows) || pillows.length === 0) {
    throw new TypeError(`pillows is ${JSON.stringify(pillows)}: name at least one in a list, or say "all"`);
  }
  const wrong = pillows.find((id) => !isPillowId(id));
  if (wrong !== undefined) throw new TypeError(`pillows: ${JSON.stringify(wrong)} is no pillow's id`);
  return pillows;
}
