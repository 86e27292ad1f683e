/** Stands for the story of the pillows until it is loaded, which is when the page needs it. */

/** A story that could not be loaded is loaded again after this time. */
const RETRY_MS = 30_000;
/** @type {[string, string]} */
const NOTHING = ["", ""];

/** @typedef {Pick<import("./story.js").Story, "show" | "past" | "hugs" | "card">} Story */

export class StoryLater {
  #load;
  #now;
  /** @type {Story | null} */
  #story = null;
  #loadAt = -Infinity;
  /** What is to be shown once it is loaded. @type {Parameters<Story["show"]>} */
  #wanted = [null, "", false];

  /**
   * @param {() => Promise<Story>} load
   * @param {() => number} now monotonic, in ms
   */
  constructor(load, now) {
    this.#load = load;
    this.#now = now;
  }

  /**
   * Show the story of the pillow in the detail view.
   *
   * @param {string | null} id null for the wall
   * @param {string} order of the wall
   * @param {boolean} isNeeded whether the page shows something of it
   */
  show(id, order, isNeeded) {
    this.#wanted = [id, order, isNeeded];
    if (this.#story !== null) this.#story.show(id, order, isNeeded);
    else if (isNeeded && this.#now() >= this.#loadAt) this.#start();
  }

  /** @param {string} id */
  past(id) {
    return this.#story?.past(id) ?? null;
  }

  /** @param {string} id */
  hugs(id) {
    return this.#story?.hugs(id) ?? 0;
  }

  /** @param {string} id */
  card(id) {
    return this.#story?.card(id) ?? NOTHING;
  }

  #start() {
    this.#loadAt = Infinity;
    this.#load().then(
      (story) => {
        this.#story = story;
        story.show(...this.#wanted);
      },
      (error) => {
        this.#loadAt = this.#now() + RETRY_MS;
        console.warn(`The story of the pillows could not be loaded: ${error.message}`);
      },
    );
  }
}
