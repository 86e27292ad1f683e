/** Events after which a connection is checked: the network is back, or the page is visible again. */
export type PageTargets = {
    window?: EventTarget;
    document?: EventTarget & {
        visibilityState: string;
    };
};
/** @typedef {{window?: EventTarget, document?: EventTarget & {visibilityState: string}}} PageTargets */
export declare class WakeEvents {
    #private;
    /**
     * @param {PageTargets | undefined} page the global `window` and `document` by default; Node.js has none
     * @param {() => void} onWake
     */
    constructor(page: PageTargets | undefined, onWake: () => void);
    /** Start to listen; without effect if it listens already. */
    start(): void;
    stop(): void;
}
