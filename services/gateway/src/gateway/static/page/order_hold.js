/** When a new order of the wall waits: under a pointer or the focus, the order holds still. */

/** Without any input for this time, a pointer or the focus was left where it is. */
export const LEFT_MS = 60_000;

/**
 * Whether a new order waits. Pure.
 *
 * @param {{isOver: boolean, isFocused: boolean, sinceInputMs: number}} visitor `isOver`: a pointer is over
 *   the cards; `isFocused`: a card has the focus
 */
export function isHeld({ isOver, isFocused, sinceInputMs }) {
  return (isOver || isFocused) && sinceInputMs < LEFT_MS;
}

/**
 * The order while it is held: every card stays where it is, also one that the filter does not select any
 * more, and new ones come last. Pure.
 *
 * @param {string[]} shown
 * @param {string[]} wanted
 * @param {(id: string) => boolean} exists whether there is a pillow of this id
 */
export function heldOrder(shown, wanted, exists) {
  const kept = shown.filter(exists);
  const known = new Set(kept);
  return [...kept, ...wanted.filter((id) => !known.has(id))];
}

export class OrderHold {
  #timers;
  #exists;
  #onEnd;
  #isOver = false;
  #isFocused = false;
  #inputAt = -Infinity;
  /** Whether an order waits. */
  #isWaiting = false;
  /** @type {unknown} */
  #timer;

  /**
   * @param {EventTarget} container of the cards
   * @param {{now: () => number, setTimeout: (callback: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} timers
   * @param {(id: string) => boolean} exists
   * @param {() => void} onEnd called when an order that waited can be shown
   */
  constructor(container, timers, exists, onEnd) {
    this.#timers = timers;
    this.#exists = exists;
    this.#onEnd = onEnd;
    for (const type of ["pointerover", "pointermove", "keydown"]) container.addEventListener(type, () => this.#onInput());
    // A pointer that was there before this was loaded tells so by its next move.
    for (const type of ["pointerover", "pointermove"]) container.addEventListener(type, () => (this.#isOver = true));
    // Or by where it is, if it does not move.
    if (/** @type {Partial<Element>} */ (container).matches?.(":hover")) {
      this.#isOver = true;
      this.#inputAt = timers.now();
    }
    container.addEventListener("focusin", () => {
      this.#isFocused = true;
      this.#onInput();
    });
    container.addEventListener("pointerleave", () => {
      this.#isOver = false;
      this.#release();
    });
    container.addEventListener("focusout", () => {
      this.#isFocused = false;
      // The focus may move on to the next card.
      this.#timers.setTimeout(() => this.#release(), 0);
    });
  }

  /**
   * The order to show instead of the wanted one.
   *
   * @param {string[]} shown
   * @param {string[]} wanted
   * @param {boolean} isChosen whether the visitor asked for it
   */
  order(shown, wanted, isChosen) {
    this.#timers.clearTimeout(this.#timer);
    this.#isWaiting = false;
    if (isChosen || !this.#isHeld || shown.length === 0) return wanted;
    const held = heldOrder(shown, wanted, this.#exists);
    this.#isWaiting = String(held) !== String(wanted);
    if (this.#isWaiting) this.#timer = this.#timers.setTimeout(() => this.#release(), LEFT_MS);
    return held;
  }

  get #isHeld() {
    return isHeld({ isOver: this.#isOver, isFocused: this.#isFocused, sinceInputMs: this.#timers.now() - this.#inputAt });
  }

  #onInput() {
    this.#inputAt = this.#timers.now();
  }

  #release() {
    if (!this.#isWaiting) return;
    if (!this.#isHeld) {
      this.#isWaiting = false;
      this.#onEnd();
      return;
    }
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => this.#release(), LEFT_MS);
  }
}
