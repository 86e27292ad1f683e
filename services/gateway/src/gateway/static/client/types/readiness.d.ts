/** Whether a client has all states, or why it will not get them: for who waits, and otherwise for the console. */
export type Pending = {
    promise: Promise<any>;
    resolve: (value: unknown) => void;
    reject: (error: unknown) => void;
};
/** @typedef {{promise: Promise<any>, resolve: (value: unknown) => void, reject: (error: unknown) => void}} Pending */
export declare class Readiness {
    #private;
    /** Whether somebody waits for it. */
    get isAwaited(): boolean;
    /** Created when it is asked for, so that a failure which nobody waits for is no unhandled rejection. */
    get promise(): Promise<any>;
    /** All states are known. @param {unknown} value */
    succeed(value: unknown): void;
    /** The client ends before it has all states; without effect if it had them. @param {unknown} error */
    fail(error: unknown): void;
    /** Another attempt begins: wait again after a failure. */
    restart(): void;
    /** A reader gets this error, so the console does not. @param {Error} error */
    told(error: Error): Error;
    /**
     * The gateway refused. If nobody learns of it, it is written to the console, once until there are states.
     *
     * @param {Error} error
     * @param {string} url the gateway
     * @param {() => boolean} isHeard whether there is a listener
     */
    refuse(error: Error, url: string, isHeard: () => boolean): void;
}
