/**
 * A session with a gateway: what it has said, over one connection that is made again after a loss.
 *
 * The page has one of its own. shared_session.js shares one between the clients of a program.
 */
import { ClientState } from "./client_state.js";
import { Liveness } from "./freshness.js";
import { Store } from "./store.js";
import { Subscription } from "./subscription.js";
import { Timekeeper } from "./timekeeper.js";
export type Pillow = import("./frames.js").Pillow;
export type Status = import("./connection.js").Status;
export type AllOptions = import("./options.js").AllOptions;
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
export declare class Session extends ClientState {
    #private;
    store: Store;
    time: Timekeeper;
    liveness: Liveness;
    subscription: Subscription;
    /** @param {AllOptions} options which are valid */
    constructor({ url, pillows, cursor, token, hiddenTimeoutMs, reportShown, motion, page, ...injected }: AllOptions);
    /** What the connection does, when the next attempt is, and why. @returns {Status} */
    get status(): Status;
    /** The gateway, for a person. */
    get address(): string;
    /** How many frames, and pillows within frames, were invalid and are ignored. */
    get faults(): number;
    /** Monotonic time in ms of the last message; null before the first. */
    get lastReceivedAt(): number | null;
    /** Subscribe to these pillows instead. @param {import("./subscription.js").Pillows} pillows valid ones */
    subscribe(pillows: import("./subscription.js").Pillows): void;
    /**
     * Say that these states are on the screen. Some of it is reported, if the option `reportShown` is set and
     * the gateway asks this client: at most once a second.
     *
     * @param {Pillow[]} pillows
     * @param {number} [shown] when, in the gateway's time; now by default
     */
    shown(pillows: Pillow[], shown?: number): void;
    /** Receive the motion of these pillows, where states have none: an event `motion` follows such a change. @param {Iterable<string>} pillows at most 256 */
    subscribeMotion(pillows: Iterable<string>): void;
    /** Connect; without effect if it is connected already. */
    open(): this;
    /** Try again now instead of after the delay; also after a refusal. */
    retry(): void;
    /** Disconnect; `open()` connects again. */
    close(): void;
    /** Try now, because the network or the visitor is back. */
    wake(): void;
    /**
     * A frame was applied to the store.
     *
     * @param {import("./store.js").Update[]} updates
     * @param {import("./frames.js").Frame} frame
     */
    applied(updates: import("./store.js").Update[], frame: import("./frames.js").Frame): void;
    /** Samples have come: `updates` are the states that have them now. @param {import("./store.js").Update[]} updates */
    moved(updates: import("./store.js").Update[]): void;
    /** `status` has changed. */
    statusChanged(): void;
}
