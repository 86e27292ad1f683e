/** The error of a client that the gateway refused. */

/** The gateway refused the client, and another attempt would be refused as well. */
export class RefusedError extends Error {
  /**
   * @param {number | null} code close code
   * @param {string} reason
   */
  constructor(code, reason) {
    super(`the gateway refused${code === null ? "" : ` (${code})`}: ${reason || "it did not say why"}`);
    this.name = "RefusedError";
    this.code = code;
  }
}
