/**
 * Which pillows a client subscribes to, and whether its cursor is valid for them. Pure.
 *
 * A cursor is valid only for the pillows that were requested when the gateway gave it. One request is
 * under way at a time, so that it is known which of them a snapshot answers.
 */

/** @typedef {string[] | "all"} Pillows */

/** Some servers refuse a query of more than 2,048 characters: longer lists are sent as a message. */
export const MAX_QUERY_CHARS = 2_000;

/** The message that subscribes to these pillows. @param {Pillows} pillows */
export function subscribeFrame(pillows) {
  return JSON.stringify({ type: "subscribe", pillows });
}

export class Subscription {
  /** The pillows that the client wants. @type {Pillows} */
  pillows;
  /** The pillows of the newest request of this connection. @type {Pillows | null} */
  #requested = null;
  #isAnswered = true;
  /** The pillows for which the store's cursor is valid. @type {Pillows | null} */
  #cursorPillows;

  /**
   * @param {Pillows} pillows
   * @param {boolean} hasCursor whether the client starts with a cursor for these pillows
   */
  constructor(pillows, hasCursor) {
    this.pillows = pillows;
    this.#cursorPillows = hasCursor ? pillows : null;
  }

  /** The pillows of the newest request of this connection; null before the first. */
  get requested() {
    return this.#requested;
  }

  /** Whether the newest request was answered. */
  get isAnswered() {
    return this.#isAnswered;
  }

  /** Whether a request for other pillows has to be sent, and may be: the last one was answered. */
  get isRequestDue() {
    return this.#isAnswered && this.#requested !== this.pillows;
  }

  /**
   * Add the subscription to the URL of a new connection, which is its first request.
   *
   * @param {URLSearchParams} query
   * @param {string | null} cursor
   * @param {{isComplete: boolean}} how whether the URL has to name all pillows, however long it becomes
   */
  requestByUrl(query, cursor, { isComplete }) {
    this.#requested = isComplete ? this.pillows : pillowsWithin(MAX_QUERY_CHARS, this.pillows);
    if (this.#requested !== "all") {
      for (const id of this.#requested) query.append("pillow", id);
    }
    if (this.#cursorPillows === this.#requested) query.set("since", cursor ?? "");
    this.#isAnswered = false;
  }

  /** The request for these pillows was sent. */
  sent() {
    this.#requested = this.pillows;
    this.#isAnswered = false;
  }

  /**
   * A snapshot arrived: it answers the request, and its cursor is valid for those pillows.
   *
   * @param {boolean} hasMore whether the snapshot continues
   * @returns {boolean} whether the client has all that it wants then
   */
  answered(hasMore) {
    this.#isAnswered = !hasMore;
    this.#cursorPillows = this.#requested;
    return this.#isAnswered && this.#requested === this.pillows;
  }
}

/**
 * As many of the pillows as a query may name; the same list if it may name all.
 *
 * @param {number} chars
 * @param {Pillows} pillows
 * @returns {Pillows}
 */
function pillowsWithin(chars, pillows) {
  if (pillows === "all") return pillows;
  let left = chars;
  const fitting = pillows.findIndex((id) => (left -= `&pillow=${id}`.length) < 0);
  return fitting === -1 ? pillows : pillows.slice(0, fitting);
}
