/**
 * The episodes of one state that the page has seen, counted as the recorder counts them: reports of one
 * state after the other are one episode, and after a silence another one begins. Pure.
 *
 * Times are ms since 1970 on the gateway's clock.
 */

import { instant } from "../client/store.js";

/** A pillow that has reported nothing for so long is asleep: the next report begins an episode. */
export const SILENCE_MS = 30_000;
/** Episodes of a pillow that are kept; a day that has more of them shows this many until it is asked for again. */
const MAX_EPISODES = 500;

/** `isNew`: whether its beginning was seen. @typedef {{from: number, to: number, isNew: boolean}} Episode */

export class SeenEpisodes {
  #state;
  /** @type {Map<string, Episode[]>} */
  #episodes = new Map();
  /** The pillows that were in the state when they last reported. @type {Set<string>} */
  #open = new Set();

  /** @param {string} state */
  constructor(state) {
    this.#state = state;
  }

  /**
   * @param {import("../client/store.js").Update} update
   * @param {boolean} isSnapshot whether it says what is true now, not what began now
   */
  add({ id, pillow, previous }, isSnapshot) {
    if (pillow === null) {
      this.#episodes.delete(id);
      this.#open.delete(id);
      return;
    }
    // What the gateway says of a silent pillow is no report.
    if (pillow.state === "notconnected") return;
    const at = instant(pillow.at);
    if (Number.isNaN(at)) return;
    const last = this.#open.has(id) ? this.#episodes.get(id)?.at(-1) : undefined;
    const isContinued = last !== undefined && at - last.to <= SILENCE_MS;
    if (isContinued) last.to = Math.max(last.to, at);
    if (pillow.state !== this.#state) this.#open.delete(id);
    else if (!isContinued) this.#begin(id, { from: at, to: at, isNew: !isSnapshot && previous !== undefined });
  }

  /** The episodes of a pillow, the oldest first. @param {string} id */
  of(id) {
    return this.#episodes.get(id) ?? [];
  }

  /** Forget what ended before a time. @param {number} time */
  forget(time) {
    for (const [id, episodes] of this.#episodes) {
      const kept = episodes.filter(({ to }) => to >= time);
      if (kept.length > 0) this.#episodes.set(id, kept);
      else if (!this.#open.has(id)) this.#episodes.delete(id);
    }
  }

  /**
   * @param {string} id
   * @param {Episode} episode
   */
  #begin(id, episode) {
    const episodes = this.#episodes.get(id) ?? [];
    this.#episodes.set(id, episodes);
    this.#open.add(id);
    // The same report again, as after `notconnected`.
    if (episodes.at(-1)?.to === episode.to) return;
    episodes.push(episode);
    if (episodes.length > MAX_EPISODES) episodes.shift();
  }
}
