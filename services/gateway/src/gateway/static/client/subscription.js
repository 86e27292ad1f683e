/**
 * Which pillows a client subscribes to, and whether its cursor is valid for them. Pure.
 *
 * A cursor is valid only for the pillows that were requested when the gateway gave it. So the
 * requests of a connection are kept in order until the snapshot that answers each arrives.
 */

/** @typedef {string[] | "all"} Pillows */

export class Subscription {
  #pillows;
  /** Requests of this connection without an answer, oldest first. @type {Pillows[]} */
  #requests = [];
  /** The pillows for which the store's cursor is valid. @type {Pillows | null} */
  #cursorPillows;

  /**
   * @param {Pillows} pillows
   * @param {boolean} hasCursor whether the client starts with a cursor for these pillows
   */
  constructor(pillows, hasCursor) {
    this.#pillows = pillows;
    this.#cursorPillows = hasCursor ? pillows : null;
  }

  /** The pillows that the client wants. @param {Pillows} pillows */
  set pillows(pillows) {
    this.#pillows = pillows;
  }

  get pillows() {
    return this.#pillows;
  }

  /** Whether the newest request of this connection was for other pillows than the client wants. */
  get isOutdated() {
    return this.#requests.at(-1) !== this.#pillows;
  }

  /**
   * Add the subscription to the URL of a new connection, which is its first request.
   *
   * @param {URLSearchParams} query
   * @param {string | null} cursor
   */
  requestByUrl(query, cursor) {
    if (this.#pillows !== "all") {
      for (const id of this.#pillows) query.append("pillow", id);
    }
    if (this.#cursorPillows === this.#pillows) query.set("since", cursor ?? "");
    this.#requests = [this.#pillows];
  }

  /** The request for these pillows was sent. */
  requested() {
    this.#requests.push(this.#pillows);
  }

  /** A snapshot arrived: it answers the oldest request, and its cursor is valid for those pillows. */
  answered() {
    this.#cursorPillows = this.#requests.shift() ?? this.#cursorPillows;
  }
}
