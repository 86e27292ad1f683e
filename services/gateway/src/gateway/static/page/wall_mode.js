/**
 * Wall mode: the clouds alone, as large as fit on the screen, for a display that nobody touches. It keeps the
 * screen awake, is dim at night, and loads a new release by itself.
 */

import { byId } from "../cloud/dom.js";
import { fetchPage } from "./fetch_page.js";
import { fitGrid } from "./fit_grid.js";
import { isNight, parseDim } from "./night.js";
import { processOf, ReleaseWatch } from "./release_watch.js";
import { reload, sinceReloadMs } from "./reloads.js";
import { formatHash } from "./route.js";
import { versionIn } from "./version.js";

/** The pointer and the button to leave are hidden after this time without a movement. */
const POINTER_MS = 2_000;
/** How often the hour is looked at. */
const HOUR_CHECK_MS = 30_000;
/** How long each part of a very large crowd is shown. */
const TURN_MS = 20_000;
const FULL_SCREEN = "pillowcast-full-screen";

/** @typedef {import("./extras.js").Surroundings} Page */

/** @type {WallMode | undefined} */
let mode;

/** Wall mode, which a page has once. @param {Page} page */
export function openWallMode(page) {
  return (mode ??= new WallMode(page));
}

export class WallMode {
  #window;
  #document;
  #container;
  #wall;
  #storage;
  #page;
  /** @type {AbortController | null} */
  #open = null;
  /** @type {WakeLockSentinel | null} */
  #wakeLock = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pointerTimer;
  /** @type {import("./night.js").Hours | null} */
  #hours = null;
  #turn = 0;
  #parts = 1;

  /** @param {Page} page */
  constructor(page) {
    this.#window = page.window;
    this.#document = page.window.document;
    this.#container = byId(this.#document, "clouds");
    this.#wall = page.views.wall;
    this.#storage = page.storage;
    this.#page = page;
  }

  /**
   * Begin or end wall mode.
   *
   * @param {string | undefined} options of the address; undefined ends it
   * @param {boolean} isFromPage whether the visitor came by the page's button, and not by the address
   */
  set(options, isFromPage) {
    if (options === undefined) {
      this.#end();
      return;
    }
    this.#hours = parseDim(new URLSearchParams(options).get("dim"));
    this.#showHour();
    if (this.#open === null) this.#begin(isFromPage);
  }

  /** @param {boolean} isFromPage */
  #begin(isFromPage) {
    const window = this.#window;
    const { signal } = (this.#open = new AbortController());
    this.#every(HOUR_CHECK_MS, () => this.#showHour());
    this.#every(TURN_MS, () => this.#showNextPart());
    this.#wall.fit = (count, width) => this.#fit(count, width);
    this.#wall.arrange();
    this.#document.addEventListener("visibilitychange", () => this.#keepAwake(), { signal });
    this.#keepAwake();
    this.#listen(signal);
    this.#watchReleases(signal);
    const wasFullScreen = this.#storage?.getItem(FULL_SCREEN) === "yes";
    if (isFromPage) this.#enterFullScreen();
    // A reload ends full screen, and only a click or a key may begin it again.
    else if (wasFullScreen) window.addEventListener("pointerdown", () => this.#enterFullScreen(), { signal, once: true });
  }

  #end() {
    if (this.#open === null) return;
    this.#open.abort();
    this.#open = null;
    this.#wall.fit = null;
    this.#wakeLock?.release();
    this.#wakeLock = null;
    clearTimeout(this.#pointerTimer);
    this.#storage?.removeItem(FULL_SCREEN);
    this.#document.body.classList.remove("night", "pointed");
    for (const name of ["--fit-font", "--fit-picture"]) this.#container.style.removeProperty(name);
    delete this.#container.dataset.says;
    delete this.#container.dataset.labels;
    if (this.#document.fullscreenElement) this.#document.exitFullscreen().catch(() => {});
    this.#wall.arrange();
  }

  /** @param {number} count @param {number} width */
  #fit(count, width) {
    const hasLabels = this.#page.state.labels.isUsed;
    const { grid, range, parts, says, font, picture } = fitGrid(count, width, this.#window.innerHeight, { turn: this.#turn, hasLabels });
    this.#container.toggleAttribute("data-labels", hasLabels);
    this.#container.dataset.says = says;
    this.#container.style.setProperty("--fit-font", `${font}px`);
    this.#container.style.setProperty("--fit-picture", `${picture}px`);
    this.#parts = parts;
    return { grid, range };
  }

  #showNextPart() {
    if (this.#parts === 1) return;
    this.#turn = (this.#turn + 1) % this.#parts;
    this.#wall.arrange();
  }

  #showHour() {
    this.#document.body.classList.toggle("night", isNight(this.#hours, new Date()));
  }

  /** @param {number} ms @param {() => void} callback */
  #every(ms, callback) {
    const timer = this.#window.setInterval(callback, ms);
    this.#open?.signal.addEventListener("abort", () => this.#window.clearInterval(timer));
  }

  /** A browser releases the lock when the page is hidden. Without the right to it, the system's own setting holds. */
  async #keepAwake() {
    const { wakeLock } = this.#window.navigator;
    if (this.#document.hidden || wakeLock === undefined || this.#wakeLock?.released === false) return;
    const lock = await wakeLock.request("screen").catch(() => null);
    if (this.#open === null) lock?.release();
    else this.#wakeLock = lock;
  }

  #enterFullScreen() {
    this.#document.documentElement.requestFullscreen?.().then(
      () => this.#storage?.setItem(FULL_SCREEN, "yes"),
      () => {}, // a kiosk needs no permission, because it fills the screen already
    );
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const { body } = this.#document;
    // Once, because to leave full screen is another event of the same key.
    const leaving = new AbortController();
    const leave = () => {
      if (!leaving.signal.aborted) this.#leave();
      leaving.abort();
    };
    const button = this.#document.createElement("button");
    button.id = "leave-wall";
    button.type = "button";
    button.textContent = this.#page.texts.format("display.leave");
    button.addEventListener("click", leave);
    body.append(button);
    signal.addEventListener("abort", () => button.remove());
    this.#window.addEventListener("keydown", ({ key }) => key === "Escape" && leave(), { signal });
    // Escape out of full screen is no key for the page.
    this.#document.addEventListener("fullscreenchange", () => this.#document.fullscreenElement === null && leave(), { signal });
    const point = () => {
      body.classList.add("pointed");
      clearTimeout(this.#pointerTimer);
      this.#pointerTimer = setTimeout(() => body.classList.remove("pointed"), POINTER_MS);
    };
    for (const type of ["pointermove", "pointerdown", "keydown"]) this.#window.addEventListener(type, point, { signal });
    point();
  }

  /** To the page with the same clouds. The way back does not lead into wall mode again. */
  #leave() {
    this.#window.location.replace(formatHash(this.#page.state.route.filter) || "#");
  }

  /** @param {AbortSignal} signal */
  #watchReleases(signal) {
    const { client, folder } = this.#page;
    const storage = this.#storage;
    const source = folder + this.#window.location.search;
    const watch = new ReleaseWatch(
      versionIn(import.meta.url),
      () => fetchPage(source),
      { setTimeout: (callback, ms) => setTimeout(callback, ms), clearTimeout: (timer) => clearTimeout(timer) },
      Math.random,
      {
        sinceLastMs: () => sinceReloadMs(storage),
        reload: () => reload(storage, this.#window.location),
      },
    );
    let last = processOf(client.cursor);
    client.addEventListener(
      "change",
      () => {
        const current = processOf(client.cursor);
        if (last !== "" && current !== last) watch.onReconnected();
        last = current;
      },
      { signal },
    );
    signal.addEventListener("abort", () => watch.close());
  }
}
