/** Which pillows are hugged, and which update begins a hug: one hug is one, however many reports it takes. Pure. */

/** A pillow that is hugged again within this time is still in the same hug: an arm was moved. */
export const SAME_HUG_MS = 5_000;

/** @typedef {import("../client/store.js").Update} Update */

export class HugWatch {
  /** The pillows that are hugged now. @type {Set<string>} */
  hugged = new Set();
  /** When each hug was last known to go on. @type {Map<string, number>} */
  #lastAt = new Map();

  /** Begin with what is known. @param {Iterable<[string, {state: string}]>} pillows @param {number} now monotonic, in ms */
  start(pillows, now) {
    this.hugged.clear();
    for (const [id, { state }] of pillows) {
      if (state !== "hugging") continue;
      this.hugged.add(id);
      this.#lastAt.set(id, now);
    }
  }

  /**
   * Note an update.
   *
   * @param {Update} update
   * @param {boolean} isNews whether it has just happened: not in a snapshot, and no reconnection
   * @param {number} now monotonic, in ms
   * @returns {boolean} whether it begins a hug
   */
  note({ id, pillow, previous }, isNews, now) {
    const isHugged = pillow?.state === "hugging";
    const wasHugged = this.hugged.has(id);
    if (isHugged) this.hugged.add(id);
    else this.hugged.delete(id);
    if (!isHugged && !wasHugged) return false;
    const lastAt = this.#lastAt.get(id) ?? -Infinity;
    if (pillow === null) this.#lastAt.delete(id);
    else this.#lastAt.set(id, now);
    return isHugged && !wasHugged && isNews && previous !== undefined && now - lastAt > SAME_HUG_MS;
  }
}
