/** Asks for the hugs of today: once a minute at most, less often while it fails, and not while nobody looks. */

const POLL_MS = 60_000;
const MAX_POLL_MS = 600_000;

export class TodayPoll {
  #ask;
  #now;
  #onAnswer;
  #askedAt = -Infinity;
  #failures = 0;
  #isAsking = false;

  /**
   * @param {() => Promise<import("./today.js").Answer>} ask
   * @param {() => number} now monotonic, in ms
   * @param {(answer: import("./today.js").Answer | null) => void} onAnswer receives null if there is none
   */
  constructor(ask, now, onAnswer) {
    this.#ask = ask;
    this.#now = now;
    this.#onAnswer = onAnswer;
  }

  /** Whether the last question had no answer. */
  get isFailing() {
    return this.#failures > 0;
  }

  /** Ask for other numbers: it is time now. */
  renew() {
    this.#askedAt = -Infinity;
  }

  /** Ask, if it is time. */
  tick() {
    const waitMs = Math.min(POLL_MS * 2 ** this.#failures, MAX_POLL_MS);
    if (this.#isAsking || this.#now() - this.#askedAt < waitMs) return;
    this.#askedAt = this.#now();
    this.#isAsking = true;
    this.#ask().then(
      (answer) => this.#end(answer),
      () => this.#end(null),
    );
  }

  /** @param {import("./today.js").Answer | null} answer */
  #end(answer) {
    this.#isAsking = false;
    this.#failures = answer === null ? this.#failures + 1 : 0;
    this.#onAnswer(answer);
  }
}
