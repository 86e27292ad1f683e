/** Keeps what was asked of the past of pillows, so that nothing is asked for twice in a short time. */

import { stepsOf } from "./activity.js";

/** An activity that reaches until now is asked for anew after this time. */
export const LIFETIME_MS = 300_000;
/** Answers that are kept, the newest. */
const MAX_KEPT = 24;

/** @typedef {import("./timeline.js").Interval} Interval */

/**
 * What is known of a question. `value` is undefined until the first answer.
 *
 * @template Value
 * @typedef {{value: Value | undefined, isFailing: boolean, isLoading: boolean, isMemory: boolean, askedAt: number}} Kept
 */
/** @typedef {Kept<import("./activity.js").Step[]>} Activity */
/** @typedef {Kept<import("../client/frames.js").Pillow[]>} States */

export class PastLoader {
  #api;
  #now;
  #onChange;
  #mayAsk;
  /** @type {Map<string, Kept<any>>} */
  #kept = new Map();
  #stop = new AbortController();

  /**
   * @param {import("./past_api.js").PastApi} api
   * @param {object} page
   * @param {() => number} page.now monotonic, in ms
   * @param {() => boolean} page.mayAsk whether somebody looks, and the gateway can be reached
   * @param {() => void} page.onChange an answer has come, or an attempt has failed
   */
  constructor(api, { now, mayAsk, onChange }) {
    this.#api = api;
    this.#now = now;
    this.#mayAsk = mayAsk;
    this.#onChange = onChange;
  }

  /** End what is being asked. What is known is kept. */
  stop() {
    this.#stop.abort();
    this.#stop = new AbortController();
    for (const [key, kept] of this.#kept) if (kept.isLoading) this.#kept.delete(key);
  }

  /**
   * Ask anew what is asked for next, because the page may have missed something.
   *
   * @param {string} id
   * @param {"activity" | "states" | ""} [what] everything by default
   */
  expire(id, what = "") {
    for (const [key, kept] of this.#kept) if (key.startsWith(`${id} ${what}`)) kept.askedAt = -Infinity;
  }

  /**
   * What a pillow did in each step; it is asked for if it is not known, or no longer.
   *
   * @param {string} id
   * @param {string} name of the time, which is part of the key
   * @param {Interval} range
   * @param {number} stepMs
   * @param {number} [lifetimeMs]
   * @returns {Activity}
   */
  activity(id, name, range, stepMs, lifetimeMs = LIFETIME_MS) {
    return this.#get(`${id} activity ${name}`, lifetimeMs, async (kept, signal, onFailure) => {
      const answer = await this.#api.activity(id, range, stepMs, signal, onFailure);
      // The gateway does not know the pillow, or is of an earlier release.
      if (answer === null) return kept.value ?? [];
      kept.isMemory = answer.source === "memory";
      return stepsOf(answer);
    });
  }

  /**
   * The states of a pillow.
   *
   * @param {string} id
   * @param {string} name
   * @param {{from: number, to?: number}} range
   * @returns {States}
   */
  states(id, name, range) {
    return this.#get(`${id} states ${name}`, Infinity, (_, signal, onFailure) => this.#api.history(id, range, signal, onFailure));
  }

  /**
   * @template Value
   * @param {string} key
   * @param {number} lifetimeMs
   * @param {(kept: Kept<Value>, signal: AbortSignal, onFailure: () => void) => Promise<Value>} ask
   * @returns {Kept<Value>}
   */
  #get(key, lifetimeMs, ask) {
    const known = this.#kept.get(key);
    if (known !== undefined && (known.isLoading || this.#now() - known.askedAt < lifetimeMs)) return known;
    /** @type {Kept<Value>} */
    const kept = known ?? { value: undefined, isFailing: false, isLoading: false, isMemory: false, askedAt: 0 };
    if (!this.#mayAsk()) return kept;
    kept.isLoading = true;
    kept.askedAt = this.#now();
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? "");
    this.#load(kept, ask, this.#stop.signal);
    return kept;
  }

  /**
   * @template Value
   * @param {Kept<Value>} kept
   * @param {(kept: Kept<Value>, signal: AbortSignal, onFailure: () => void) => Promise<Value>} ask
   * @param {AbortSignal} signal
   */
  async #load(kept, ask, signal) {
    const onFailure = () => {
      kept.isFailing = true;
      this.#onChange();
    };
    const value = await ask(kept, signal, onFailure);
    if (signal.aborted) return;
    Object.assign(kept, { value, isFailing: false, isLoading: false });
    this.#onChange();
  }
}
