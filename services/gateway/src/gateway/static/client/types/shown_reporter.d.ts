/** Decides which states that were shown are reported to the gateway, and how. Pure. */
/** The least time between two reports in ms. */
export declare const REPORT_INTERVAL_MS = 1000;
export type Pillow = import("./frames.js").Pillow;
/** @typedef {import("./frames.js").Pillow} Pillow */
export declare class ShownReporter {
    #private;
    /** @param {number} draw a random number in [0, 1); 1 for a client that never reports */
    constructor(draw: number);
    /** The gateway asks this share of its clients. @param {number | undefined} share absent if it asks none */
    ask(share: number | undefined): void;
    /**
     * The frame that reports one of these states; null if none is due.
     *
     * @param {Pillow[]} pillows states that are shown now
     * @param {number} shown the gateway's time in ms
     * @param {number} now monotonic time
     */
    report(pillows: Pillow[], shown: number, now: number): string | null;
}
