/** What a visitor chose, kept by the browser. A browser that keeps nothing forgets it with the page. */

export const SCOPES = ["view", "all", "favourites"];

/** @typedef {{title: boolean, sound: boolean, notification: boolean, scope: string, favourites: string[]}} Chosen */

/** More favourites than anybody has; the text of another page of this site may say anything. */
const MAX_FAVOURITES = 500;

export class Choices {
  /** @type {Chosen} */
  chosen;
  /** Whether the browser keeps them. */
  isKept = true;
  #window;
  #key;

  /**
   * @param {Pick<Window, "localStorage">} window
   * @param {URL} folder the gateway's: a site can have several, each below its own path
   */
  constructor(window, folder) {
    this.#window = window;
    this.#key = `pillowcast-signals ${folder.pathname}`;
    this.chosen = parse(this.#read());
  }

  /** Whether any signal is asked for. */
  get isOn() {
    const { title, sound, notification } = this.chosen;
    return title || sound || notification;
  }

  /** @param {Partial<Chosen>} changes */
  set(changes) {
    this.chosen = { ...this.chosen, ...changes };
    try {
      this.#window.localStorage.setItem(this.#key, JSON.stringify(this.chosen));
    } catch {
      this.isKept = false;
    }
  }

  /** Take over what another tab has chosen. @param {{key: string | null, newValue: string | null}} event of the storage */
  follow({ key, newValue }) {
    if (key === this.#key || key === null) this.chosen = parse(newValue);
  }

  #read() {
    try {
      return this.#window.localStorage.getItem(this.#key);
    } catch {
      this.isKept = false;
      return null;
    }
  }
}

/** @param {string | null} text @returns {Chosen} */
function parse(text) {
  /** @type {any} */
  let found = {};
  try {
    found = JSON.parse(text ?? "{}") ?? {};
  } catch {
    // Something else wrote it.
  }
  const { title, sound, notification, scope, favourites } = found;
  return {
    title: title === true,
    sound: sound === true,
    notification: notification === true,
    scope: SCOPES.includes(scope) ? scope : "view",
    favourites: Array.isArray(favourites) ? favourites.filter((id) => typeof id === "string").slice(0, MAX_FAVOURITES) : [],
  };
}
