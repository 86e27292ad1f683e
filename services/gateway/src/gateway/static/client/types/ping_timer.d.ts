/** Sends pings: close together at first, to measure the clock soon, then one a minute. */
export declare class PingTimer {
    #private;
    /**
     * @param {import("./sockets.js").Timers} timers
     * @param {() => void} ping
     */
    constructor(timers: import("./sockets.js").Timers, ping: () => void);
    start(): void;
    stop(): void;
}
