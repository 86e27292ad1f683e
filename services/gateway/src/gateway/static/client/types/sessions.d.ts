/** The sessions that clients share: which options lead to the same one. */
import { SharedSession } from "./shared_session.js";
export type AllOptions = import("./options.js").AllOptions;
export type Entry = {
    url: unknown;
    options: AllOptions;
    session: SharedSession;
};
/**
 * The open session for these options, if there is one to share.
 *
 * @param {AllOptions} options which are valid
 */
export declare function findSession(options: AllOptions): SharedSession | undefined;
/**
 * Let others share a session.
 *
 * @param {SharedSession} session
 * @param {AllOptions} options
 */
export declare function offerSession(session: SharedSession, options: AllOptions): void;
/** A session was closed. @param {SharedSession} session */
export declare function withdrawSession(session: SharedSession): void;
