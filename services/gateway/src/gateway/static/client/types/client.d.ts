/**
 * The client: a handle of a session, which it may share with others. It has its own pillows, listeners,
 * loops and end.
 */
import { ClientState } from "./client_state.js";
import { ASYNC_DISPOSE, DISPOSE } from "./dispose.js";
import { SharedSession } from "./shared_session.js";
export type ChangeDetail = import("./client_events.js").ChangeDetail;
export type Status = import("./connection.js").Status;
export type Pillow = import("./frames.js").Pillow;
export type AllOptions = import("./options.js").AllOptions;
export type WatchOptions = Pick<AllOptions, "signal" | "onChange" | "onConnection">;
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
export declare class Pillowcast extends ClientState {
    #private;
    /**
     * @param {AllOptions} [options]
     * @param {SharedSession} [session] of another client
     */
    constructor(options?: AllOptions, session?: SharedSession);
    /** What the connection does, when the next attempt is, and why. @returns {Status} */
    get status(): Status;
    /** How many frames, and pillows within frames, were invalid and are ignored, of all that the connection brought. */
    get faults(): number;
    /** Resolves with the client when it has all states; rejects if it is refused or closed before that. @returns {Promise<this>} */
    get ready(): Promise<this>;
    /**
     * Watch some pillows apart from others, over the same connection. The handle has its own end, and ends with
     * this client at the latest.
     *
     * @param {string | string[] | "all"} pillows an id, or ids
     * @param {WatchOptions} [options]
     * @returns {Pillowcast}
     */
    watch(pillows: string | string[] | "all", { signal, onChange, onConnection }?: WatchOptions): Pillowcast;
    /** Subscribe to these pillows instead. @param {string[] | "all"} pillows */
    subscribe(pillows: string[] | "all"): void;
    /**
     * Receive the motion of these pillows, and of no others, if the option `motion` is "none". It comes behind the
     * state that it is of, as an event `motion`; what comes while the connection is lost or slow is not sent later.
     *
     * @param {string[]} pillows at most 256 ids; none ends it
     */
    subscribeMotion(pillows: string[]): void;
    /**
     * Note that these states are on the screen. If the option `reportShown` is set and the gateway asks this
     * client, one of them is reported to it, at most once a second.
     *
     * @param {Pillow[]} pillows
     * @param {number} [shown] when, in the gateway's time; now by default
     */
    shown(pillows: Pillow[], shown?: number): void;
    /** Connect; without effect if it is connected already, or if its signal was aborted. */
    open(): this;
    /** Try again now instead of after the delay; also after a refusal. */
    retry(): void;
    /** End: every `for await` ends, and the connection if no other client has it. `open()` connects again. */
    close(): void;
    /** `using` closes the client. */
    [DISPOSE](): void;
    [ASYNC_DISPOSE](): Promise<void>;
    /** Every update, beginning with the known states. */
    [Symbol.asyncIterator](): import("./update_iterator.js").UpdateIterator;
}
