/**
 * One session for all clients of a program that connect to the same gateway in the same way.
 *
 * The session subscribes to all that its clients want, and each client gets what concerns its own
 * pillows. A client that comes later gets the known states at once. The last client that leaves closes
 * the connection.
 */
import { Session } from "./session.js";
/** Requests for other pillows have this distance at least, because the gateway limits what they may cost. */
export declare const SUBSCRIBE_INTERVAL_MS = 500;
/** Pillows that nobody wants any more are given up after this time: another client may want them soon. */
export declare const NARROW_AFTER_MS = 1000;
export type Reader = import("./readers.js").Reader;
export type AllOptions = import("./options.js").AllOptions;
export type Update = import("./store.js").Update;
export declare class SharedSession extends Session {
    #private;
    /** @param {AllOptions} options which are valid */
    constructor(options: AllOptions);
    /** @override */
    get address(): string;
    /** Whether nobody reads it. */
    get isUnused(): boolean;
    /** Add a reader, and connect for the first one. @param {Reader} reader */
    join(reader: Reader): void;
    /** Remove a reader; the last one closes the connection. @param {Reader} reader */
    leave(reader: Reader): void;
    /**
     * Let a reader have other pillows.
     *
     * @param {Reader} reader
     * @param {import("./subscription.js").Pillows} pillows
     */
    change(reader: Reader, pillows: import("./subscription.js").Pillows): void;
    /**
     * Let a reader have the motion of these pillows; the session asks for what all of them want.
     *
     * @param {Reader} reader
     * @param {string[]} pillows
     */
    changeMotion(reader: Reader, pillows: string[]): void;
    /** @override @param {Update[]} updates */
    moved(updates: Update[]): void;
    /** Whether a refusal has still to be written to the console, which one of the readers does. */
    takeRefusal(): boolean;
    /** @override */
    statusChanged(): void;
    /**
     * @override
     * @param {Update[]} updates
     * @param {import("./frames.js").Frame} frame
     */
    applied(updates: Update[], frame: import("./frames.js").Frame): void;
}
