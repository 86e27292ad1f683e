/** How a hug is signalled: a sound, a notification, the tab's icon. Each wraps one part of the browser. */

/** The two notes, in Hz, and how loud they are: soft. */
const NOTES = [523.25, 659.25];
const LOUDNESS = 0.06;
const NOTE_S = 0.18;
const FADE_S = 0.7;
/** Of hugs at the same time one is heard. */
export const MIN_SOUND_INTERVAL_MS = 3_000;
/** Hugs within this time are one notification. */
export const MIN_NOTIFICATION_INTERVAL_MS = 10_000;

/** A soft sound without a file. Browsers allow it after the visitor's first click or key. */
export class Sound {
  #window;
  #now;
  /** @type {AudioContext | undefined} */
  #context;
  #playedAt = -Infinity;

  /**
   * @param {Window & {AudioContext?: typeof AudioContext}} window
   * @param {() => number} now monotonic, in ms
   */
  constructor(window, now) {
    this.#window = window;
    this.#now = now;
  }

  /** Get ready with a click or a key; call it while the browser handles one. */
  allow() {
    if (this.#window.AudioContext === undefined) return;
    this.#context ??= new this.#window.AudioContext();
    this.#context.resume().catch(() => {});
  }

  play() {
    const context = this.#context;
    if (context?.state !== "running" || this.#now() - this.#playedAt < MIN_SOUND_INTERVAL_MS) return;
    this.#playedAt = this.#now();
    NOTES.forEach((frequency, index) => playNote(context, frequency, context.currentTime + index * NOTE_S));
  }
}

/**
 * @param {AudioContext} context
 * @param {number} frequency
 * @param {number} at
 */
function playNote(context, frequency, at) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + FADE_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + FADE_S);
}

/** Notifications: one at a time, which the next one replaces. */
export class Notifications {
  #window;
  #textOf;
  #icon;
  /** Names that wait for the next notification. @type {Set<string>} */
  #waiting = new Set();
  #isPaused = false;

  /**
   * @param {Window & {Notification?: typeof Notification}} window
   * @param {(names: string[]) => string} textOf
   * @param {string} icon its address
   */
  constructor(window, textOf, icon) {
    this.#window = window;
    this.#textOf = textOf;
    this.#icon = icon;
  }

  /** Ask for the permission; call it while the browser handles a click. @returns {Promise<"granted" | "denied" | "missing">} */
  async ask() {
    const { Notification } = this.#window;
    if (Notification === undefined) return "missing";
    return (await Notification.requestPermission()) === "granted" ? "granted" : "denied";
  }

  /** Show that a pillow is hugged, if nobody looks. @param {string} name */
  add(name) {
    if (!this.#window.document.hidden || this.#window.Notification?.permission !== "granted") return;
    this.#waiting.add(name);
    this.#show();
  }

  #show() {
    if (this.#isPaused || this.#waiting.size === 0) return;
    const names = [...this.#waiting];
    this.#waiting.clear();
    // The page is visible again, so that the visitor sees the hug there.
    if (!this.#window.document.hidden) return;
    this.#isPaused = true;
    this.#window.setTimeout(() => {
      this.#isPaused = false;
      this.#show();
    }, MIN_NOTIFICATION_INTERVAL_MS);
    this.#open(this.#textOf(names), { tag: "pillowcast-hug", icon: this.#icon, silent: true });
  }

  /**
   * @param {string} title
   * @param {NotificationOptions} options
   */
  async #open(title, options) {
    const { Notification, navigator } = this.#window;
    try {
      const shown = new /** @type {typeof globalThis.Notification} */ (Notification)(title, options);
      shown.onclick = () => {
        this.#window.focus();
        shown.close();
      };
    } catch {
      // Phones show those of a service worker alone.
      const worker = await navigator.serviceWorker?.getRegistration();
      await worker?.showNotification(title, options).catch(() => {});
    }
  }
}

/** The tab's icon, which can be the picture of a state. */
export class TabIcon {
  #link;
  #own;

  /** @param {Document} document */
  constructor(document) {
    this.#link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="icon"]'));
    this.#own = this.#link?.href ?? "";
  }

  /** @param {string | null} address null for the page's own icon */
  show(address) {
    const wanted = address ?? this.#own;
    if (this.#link !== null && this.#link.href !== wanted) this.#link.href = wanted;
  }
}
