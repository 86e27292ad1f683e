/** The error of a client that the gateway refused. */
/** The gateway refused the client, and another attempt would be refused as well. */
export declare class RefusedError extends Error {
    code: number | null;
    /**
     * @param {number | null} code close code
     * @param {string} reason
     */
    constructor(code: number | null, reason: string);
}
