/** What one client sees of a session: its own pillows. Pure. */

/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Update} Update */
/** @typedef {import("./subscription.js").Pillows} Pillows */

export class View {
  /** The newest state of each of its pillows by id. @type {Map<string, Pillow>} */
  pillows = new Map();
  /** Whether the current connection has brought a snapshot of them. */
  isSynced = false;
  /** Whether it has brought all of them. */
  isComplete = false;
  /** @type {Map<string, import("./store.js").Sign>} */
  #signs = new Map();
  /** The ids that it wants; null for all. @type {Set<string> | null} */
  #ids = null;
  #cursor;
  /** @type {Store | null} */
  #store = null;

  /**
   * @param {Pillows} pillows
   * @param {string | null} cursor of an earlier client
   */
  constructor(pillows, cursor) {
    this.select(pillows);
    this.#cursor = cursor;
  }

  get cursor() {
    return this.#store !== null && this.isSynced ? this.#store.cursor : this.#cursor;
  }

  get broker() {
    return this.#store?.broker ?? null;
  }

  get isLoading() {
    return this.#store !== null && this.#store.isLoading && this.isSynced && !this.isComplete;
  }

  get retained() {
    return this.#store?.retained ?? true;
  }

  get watching() {
    return this.#store?.watching ?? null;
  }

  /** @param {string} id */
  isUnconfirmed(id) {
    return !this.isComplete && this.#store?.isUnconfirmed(id) === true;
  }

  /** @param {string} id */
  sign(id) {
    return this.#signs.get(id);
  }

  /** Want these pillows; `missing` tells what that changes. @param {Pillows} pillows */
  select(pillows) {
    this.#ids = pillows === "all" ? null : new Set(pillows);
    this.isComplete = false;
  }

  /** See the store of a session. @param {Store} store */
  attach(store) {
    this.#store = store;
  }

  /** The connection is lost, or was closed. */
  lost() {
    this.#cursor = this.cursor;
    this.isSynced = false;
    this.isComplete = false;
  }

  /** Leave the session; what is known stays. */
  detach() {
    this.lost();
    this.#store = null;
  }

  /**
   * How much of what it wants a request named.
   *
   * @param {Set<string> | null} ids null for all
   * @returns {"all" | "some" | "none"}
   */
  coverage(ids) {
    if (ids === null) return "all";
    if (this.#ids === null) return "some";
    const count = [...this.#ids].filter((id) => ids.has(id)).length;
    if (count === this.#ids.size) return "all";
    return count > 0 ? "some" : "none";
  }

  /** Take new states, all of its pillows. @param {Update[]} updates */
  apply(updates) {
    for (const { id, pillow } of updates) {
      const sign = this.#store?.sign(id);
      if (pillow === null || sign === undefined) {
        this.pillows.delete(id);
        this.#signs.delete(id);
      } else {
        this.pillows.set(id, pillow);
        this.#signs.set(id, sign);
      }
    }
  }

  /** The updates with what this knew before each. @param {Update[]} updates */
  related(updates) {
    const own = updates.map((update) => ({ ...update, previous: this.pillows.get(update.id) }));
    // Of a pillow that is no more only who knew it hears, or who resumed and so knows none.
    return own.filter(({ pillow, previous }, index) => pillow !== null || previous !== undefined || updates[index].previous === undefined);
  }

  /** The updates without those that it has already. @param {Update[]} updates */
  unknownOf(updates) {
    return updates.filter(({ id, pillow }) => !isSame(this.pillows.get(id), pillow));
  }

  /**
   * What the session knows and this does not, and what this knows and is no more, or is not wanted.
   *
   * @returns {Update[]}
   */
  missing() {
    const store = this.#store;
    if (store === null) return [];
    /** @type {Update[]} */
    const updates = [];
    for (const id of this.#ids ?? store.pillows.keys()) {
      const pillow = store.pillows.get(id);
      const previous = this.pillows.get(id);
      if (pillow !== undefined && !isSame(previous, pillow)) updates.push({ id, pillow, previous, cursor: null });
    }
    for (const [id, previous] of this.pillows) {
      const isKnown = store.pillows.has(id) && (this.#ids === null || this.#ids.has(id));
      if (!isKnown) updates.push({ id, pillow: null, previous, cursor: null });
    }
    const last = updates.at(-1);
    if (last !== undefined) last.cursor = store.cursor;
    return updates;
  }
}

/**
 * @param {Pillow | undefined} known
 * @param {Pillow | null} pillow
 */
function isSame(known, pillow) {
  return known === pillow || JSON.stringify(known ?? null) === JSON.stringify(pillow);
}
