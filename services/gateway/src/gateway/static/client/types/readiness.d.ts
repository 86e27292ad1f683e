/**
 * Whether a client has all states. A refusal rejects the promise of those who wait, and is written to the
 * console if nobody learns of it otherwise.
 */
export type Pending = {
    promise: Promise<any>;
    resolve: (value: unknown) => void;
    reject: (error: unknown) => void;
};
/** @typedef {{promise: Promise<any>, resolve: (value: unknown) => void, reject: (error: unknown) => void}} Pending */
export declare class Readiness {
    #private;
    /** Whether somebody waits for the states. */
    get isAwaited(): boolean;
    /** Created at the first read, because a failure that nobody waits for must be no unhandled rejection. */
    get promise(): Promise<any>;
    /** All states are known. @param {unknown} value */
    succeed(value: unknown): void;
    /** The client ends before it has all states; without effect if it had them. @param {unknown} error */
    fail(error: unknown): void;
    /** Another attempt begins: wait again after a failure. */
    restart(): void;
    /** A loop receives this error, so it is not written to the console. @param {Error} error */
    reported(error: Error): Error;
    /**
     * The gateway refused. If the program does not learn of it, the console has it, once until there are states.
     *
     * @param {Error} error
     * @param {string} url the gateway
     * @param {() => boolean} hasListener whether a listener receives the refusal
     */
    refuse(error: Error, url: string, hasListener: () => boolean): void;
}
