/**
 * The clocks of a client: the monotonic one for durations, the wall clock for times that are shown, and
 * the estimate of the gateway's.
 */

import { JumpDetector, ServerClock } from "./clock.js";
import { PingTimer } from "./ping_timer.js";
import { TIMERS } from "./sockets.js";

/** The wall clock is compared with the monotonic one this often while it is connected. */
export const CHECK_INTERVAL_MS = 5_000;
/** A frame that seems to be older than this shows that the gateway's clock may have been set back. */
export const SUSPECT_DELAY_MS = 10_000;
/** A frame causes a ping this often at most: a slow network delays frames for long. */
const SUSPECT_INTERVAL_MS = 60_000;

/** @typedef {{sent: number}} Stamped */

export class Timekeeper {
  #serverClock = new ServerClock();
  #jumps = new JumpDetector();
  #wall;
  #monotonic;
  #timers;
  #pings;
  #ping;
  #onJump;
  #watchesJumps;
  /** @type {unknown} */
  #checkTimer = null;
  #suspectedAt = -Infinity;
  /** Queue time minus the gateway's; null if the gateway does not know it. @type {number | null} */
  queueOffsetMs = null;

  /**
   * @param {Pick<import("./connection.js").Surroundings, "clock" | "monotonic" | "timers">} clocks
   * @param {{ping: () => void, onJump: (ms: number) => void}} callbacks `onJump`: the wall clock was set,
   *   or the machine slept
   */
  constructor({ clock, monotonic, timers }, { ping, onJump }) {
    this.#wall = clock ?? Date.now;
    this.#monotonic = monotonic ?? (() => performance.now());
    this.#timers = timers ?? TIMERS;
    // A wall clock of another world than the monotonic one cannot be compared with it.
    this.#watchesJumps = clock === undefined || monotonic !== undefined;
    this.#ping = ping;
    this.#onJump = onJump;
    this.#pings = new PingTimer(this.#timers, ping);
  }

  /** Monotonic time in ms. */
  monotonic() {
    return this.#monotonic();
  }

  /** The wall clock's time in ms of an instant of the monotonic clock. @param {number} instant */
  wallTimeOf(instant) {
    return this.#wall() - (this.#monotonic() - instant);
  }

  /** The gateway's time in ms since 1970; the wall clock's without an estimate. */
  now() {
    const offset = this.#serverClock.offsetMs;
    return offset === null ? this.#wall() : this.#monotonic() + offset;
  }

  /** The gateway's clock minus the wall clock in ms; null without an estimate. */
  get clockOffsetMs() {
    return this.#serverClock.offsetMs === null ? null : this.now() - this.#wall();
  }

  /** Shortest measured round trip in ms; null before the first pong. */
  get roundTripMs() {
    return this.#serverClock.roundTripMs;
  }

  /** A new connection may lead to another machine, with another clock: measure anew. */
  start() {
    this.#serverClock.reset();
    this.queueOffsetMs = null;
    this.#suspectedAt = -Infinity;
    this.#pings.start();
    this.#timers.clearTimeout(this.#checkTimer);
    if (!this.#watchesJumps) return;
    this.#jumps = new JumpDetector();
    this.#checkEverySoOften();
  }

  stop() {
    this.#pings.stop();
    this.#timers.clearTimeout(this.#checkTimer);
  }

  /**
   * Use the times of a frame.
   *
   * @param {import("./frames.js").Frame} frame
   * @param {number} now monotonic time of its arrival
   */
  observe(frame, now) {
    if (this.#detectJump(now) !== 0) this.#ping();
    if (frame.type === "snapshot" || frame.type === "heartbeat" || frame.type === "pong") {
      this.queueOffsetMs = frame.queue_offset ?? null;
    }
    // A pong's `sent` is this client's own time, not the gateway's.
    if (frame.type === "pong") this.#serverClock.observePong(frame, now);
    else if ("sent" in frame) this.#observeSent(frame.sent, now);
  }

  /** The time to send in a ping, which its pong returns. */
  pingTime() {
    return Math.floor(this.#monotonic() * 100) / 100;
  }

  /**
   * @param {number} sent
   * @param {number} now
   */
  #observeSent(sent, now) {
    const isRefuted = this.#serverClock.observe(sent, now);
    const isLate = now + (this.#serverClock.offsetMs ?? 0) - sent > SUSPECT_DELAY_MS;
    if (!isRefuted && (!isLate || now - this.#suspectedAt < SUSPECT_INTERVAL_MS)) return;
    this.#suspectedAt = now;
    this.#ping();
  }

  /** @param {number} now */
  #detectJump(now) {
    const jump = this.#watchesJumps ? this.#jumps.check(this.#wall(), now) : 0;
    if (jump !== 0) this.#serverClock.distrust(now);
    return jump;
  }

  #checkEverySoOften() {
    const jump = this.#detectJump(this.#monotonic());
    this.#checkTimer = this.#timers.setTimeout(() => this.#checkEverySoOften(), CHECK_INTERVAL_MS);
    if (jump !== 0) this.#onJump(jump);
  }
}
