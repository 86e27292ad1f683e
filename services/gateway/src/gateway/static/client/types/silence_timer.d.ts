/**
 * Detects that nothing arrives any more.
 *
 * The timer itself measures the silence, and the monotonic clock only shortens the next wait: a clock
 * that stands still, as some do while a machine sleeps, delays the detection by one period at most.
 */
/** A connection without a message for this long is lost: the gateway sends at least every 20 s. */
export declare const SILENCE_TIMEOUT_MS = 30000;
export declare class SilenceTimer {
    #private;
    /**
     * @param {import("./sockets.js").Timers} timers
     * @param {() => number} now monotonic time in ms
     * @param {() => void} onSilence
     */
    constructor(timers: import("./sockets.js").Timers, now: () => number, onSilence: () => void);
    /** Call back unless a message arrives within `ms`; after the first, SILENCE_TIMEOUT_MS applies. @param {number} ms */
    start(ms: number): void;
    /** A message arrived. @param {number} now */
    received(now: number): void;
    stop(): void;
}
