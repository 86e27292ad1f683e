/** The client: what it knows, its connection, and its events. */
import { ClientState } from "./client_state.js";
export type Pillow = import("./frames.js").Pillow;
export type Status = import("./connection.js").Status;
export type AllOptions = import("./options.js").AllOptions;
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./options.js").AllOptions} AllOptions */
/**
 * The live state of pillows.
 *
 * Events:
 * - `change` (ChangeEvent): there are new states
 * - `connection` (ConnectionEvent): whether the known states are live has changed, or `status` has
 * - `watching` (WatchingEvent): the number of the gateway's clients has changed
 * - `fault` (FaultEvent): a frame was invalid and is ignored; `detail` is its FrameError
 *
 * `for await` over it gives every Update, beginning with the known states.
 */
export declare class Pillowcast extends ClientState {
    #private;
    /** @param {AllOptions} [options] */
    constructor(options?: AllOptions);
    /** What the connection does, when the next attempt is, and why. @returns {Status} */
    get status(): Status;
    /** Subscribe to these pillows instead. @param {string[] | "all"} pillows */
    subscribe(pillows: string[] | "all"): void;
    /**
     * Say that these states are on the screen. Some of it is reported, if the option `reportShown` is set and
     * the gateway asks this client: at most once a second.
     *
     * @param {Pillow[]} pillows
     * @param {number} [shown] when, in the gateway's time; now by default
     */
    shown(pillows: Pillow[], shown?: number): void;
    /** Connect; without effect if it is connected already, or if its signal was aborted. */
    open(): this;
    /** Try again now instead of after the delay; also after a refusal. */
    retry(): void;
    /** Disconnect; every `for await` ends. `open()` connects again. */
    close(): void;
    /** Every update, beginning with the known states. */
    [Symbol.asyncIterator](): import("./update_iterator.js").UpdateIterator;
}
