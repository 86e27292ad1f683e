/**
 * Notices that the gateway has another page than this one. A wall that nobody touches loads it.
 *
 * Every address of the page's parts has its version. So the page is asked for, mostly answered by "not
 * modified", and searched for the version of the part that this module is in.
 */

import { MIN_INTERVAL_MS } from "./reloads.js";
import { VERSION } from "./version.js";

/** The page is asked for at least this often: a proxy may serve another page without a restart of the gateway. */
export const INTERVAL_MS = 3_600_000;
/** A thousand walls do not come at once: each waits up to this long after it was opened, or its gateway has restarted. */
export const MAX_WAIT_MS = 120_000;

/**
 * Whether a page is another release. Pure.
 *
 * @param {string} page its source
 * @param {string} version of this page
 */
export function isOtherRelease(page, version) {
  // What is no page of the gateway, as the error page of a proxy, is no release.
  return version !== "" && VERSION.test(page) && !page.includes(version);
}

/**
 * Which process of the gateway a cursor is of. A client that resumes at the same process has not missed a release.
 *
 * @param {string | null} cursor
 */
export const processOf = (cursor) => cursor?.split(":")[0] ?? "";

export class ReleaseWatch {
  #version;
  #fetchPage;
  #timers;
  #random;
  /** @type {unknown} */
  #timer;
  #reloads;

  /**
   * @param {string} version of this page
   * @param {() => Promise<string>} fetchPage the page's source; it is rejected if the gateway does not answer
   * @param {{setTimeout: (callback: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} timers
   * @param {() => number} random
   * @param {{sinceLastMs: () => number, reload: () => void}} reloads `sinceLastMs`: since another release was
   *   loaded in this tab
   */
  constructor(version, fetchPage, timers, random, reloads) {
    this.#version = version;
    this.#fetchPage = fetchPage;
    this.#timers = timers;
    this.#random = random;
    this.#reloads = reloads;
    // This page may be one that the browser kept, because the gateway's came too late.
    this.#checkIn(random() * MAX_WAIT_MS);
  }

  /** The gateway was away, or another one answers. */
  onReconnected() {
    this.#checkIn(this.#random() * MAX_WAIT_MS);
  }

  close() {
    this.#timers.clearTimeout(this.#timer);
  }

  /** @param {number} ms */
  #checkIn(ms) {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => this.#check(), ms);
  }

  async #check() {
    this.#checkIn(INTERVAL_MS * (1 + this.#random()));
    const page = await this.#fetchPage().catch(() => "");
    if (!isOtherRelease(page, this.#version)) return;
    const wait = MIN_INTERVAL_MS - this.#reloads.sinceLastMs();
    if (wait <= 0) this.#reloads.reload();
    else this.#checkIn(wait);
  }
}
