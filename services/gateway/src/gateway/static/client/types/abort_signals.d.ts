/** Callbacks of abort signals. */
/**
 * Call back when a signal is aborted. All callbacks of a signal share one listener, because Node.js warns
 * of more than ten, and a program may have one signal for many clients.
 *
 * @param {AbortSignal} signal
 * @param {() => void} callback
 */
export declare function addAbortCallback(signal: AbortSignal, callback: () => void): void;
/**
 * @param {AbortSignal} signal
 * @param {() => void} callback
 */
export declare function removeAbortCallback(signal: AbortSignal, callback: () => void): void;
