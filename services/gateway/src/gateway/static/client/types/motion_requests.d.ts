/** Says whose motion is wanted, again after each reconnect, and not so often that the gateway's limit is met. */
export type Timers = import("./sockets.js").Timers;
/** @typedef {import("./sockets.js").Timers} Timers */
/** The gateway takes so many pillows in one message. */
export declare const MAX_MOTION = 256;
/** The gateway's limit is four messages a second, and requests for other pillows count as well. */
export declare const MOTION_INTERVAL_MS = 300;
export declare class MotionRequests {
    #private;
    /**
     * @param {Timers} timers
     * @param {() => number} monotonic in ms
     * @param {(text: string) => boolean} send
     */
    constructor(timers: Timers, monotonic: () => number, send: (text: string) => boolean);
    /** Want the motion of these pillows, and of no others. @param {Iterable<string>} pillows */
    want(pillows: Iterable<string>): void;
    /** A snapshot arrived. @param {boolean} isTaken whether it says that the gateway takes motion frames */
    answered(isTaken: boolean): void;
    /** The connection is lost. */
    stop(): void;
}
