/**
 * The ids of all pillows in alphabetical order, filtered and sorted for the wall. Pure.
 *
 * Each id is put in its place once, when it is added, because to sort two thousand ids takes longer
 * than a frame.
 */

/** Longest number in an id: see `isPillowId`. */
const MAX_DIGITS = 63;

/** @typedef {import("./route.js").Filter} Filter */

export class Roster {
  /** Every id, in alphabetical order. @type {string[]} */
  ids = [];
  /** The sort key of each id. @type {Map<string, string>} */
  #keys = new Map();
  /** What pillows that have a label are called, in the form in which it is searched. @type {Map<string, string>} */
  #labels = new Map();

  /**
   * @param {string} id
   * @param {string} [label] by which it is sorted and found as well; "" for none
   */
  add(id, label = "") {
    if (this.has(id)) return;
    const folded = fold(label);
    if (folded !== "") this.#labels.set(id, folded);
    const key = sortKey(folded || id, id);
    this.#keys.set(id, key);
    this.ids.splice(this.#indexOf(key), 0, id);
  }

  /** Call a pillow otherwise, if it is known. @param {string} id @param {string} label */
  rename(id, label) {
    if (!this.has(id)) return;
    this.remove(id);
    this.add(id, label);
  }

  /** @param {string} id */
  remove(id) {
    const key = this.#keys.get(id);
    if (key === undefined) return;
    this.ids.splice(this.#indexOf(key), 1);
    this.#keys.delete(id);
    this.#labels.delete(id);
  }

  /** @param {string} id */
  has(id) {
    return this.#keys.has(id);
  }

  /**
   * The ids that a filter selects, in its order.
   *
   * @param {Filter} filter
   * @param {(id: string) => string} stateOf
   * @param {(id: string) => number} asOf when a pillow's state was true; a larger number is newer
   * @param {readonly string[]} [stateOrder] the order of states by which `state` sorts
   * @param {(id: string) => number} [hugsOf] how often a pillow was hugged today
   */
  select({ states, name, order }, stateOf, asOf, stateOrder = [], hugsOf = () => 0) {
    const part = fold(name.trim());
    const ids = this.ids.filter(
      (id) => (states.length === 0 || states.includes(stateOf(id))) && (part === "" || id.includes(part) || this.#labels.get(id)?.includes(part)),
    );
    // The sort is stable, so equal pillows stay in alphabetical order.
    // A state that is unknown here comes last.
    if (order === "state") return sortBy(ids, (id) => (stateOrder.indexOf(stateOf(id)) + 1) || Infinity);
    if (order === "newest") return sortBy(ids, (id) => -asOf(id));
    if (order === "oldest") return sortBy(ids, asOf);
    if (order === "hugged") return sortBy(ids, (id) => -hugsOf(id));
    return ids;
  }

  /** The number of pillows in each state. @param {(id: string) => string} stateOf */
  countByState(stateOf) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const id of this.ids) counts.set(stateOf(id), (counts.get(stateOf(id)) ?? 0) + 1);
    return counts;
  }

  /** The index at which a sort key is, or belongs: binary search. @param {string} key */
  #indexOf(key) {
    let low = 0;
    let high = this.ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys.get(this.ids[middle]) ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * A text by which ids sort with their numbers in numerical order: cloud-9 before cloud-10. It replaces
 * `Intl.Collator`, because to create the first one takes a slow phone longer than the rest of the
 * page's start.
 *
 * @param {string} name
 * @param {string} id
 */
function sortKey(name, id) {
  return `${name.replace(/\d+/g, (number) => number.padStart(MAX_DIGITS, "0"))} ${id}`;
}

/** A text without capitals and accents, which nobody types into a search. @param {string} text */
function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/**
 * @param {string[]} ids
 * @param {(id: string) => number} keyOf
 */
function sortBy(ids, keyOf) {
  const keys = new Map(ids.map((id) => [id, keyOf(id)]));
  // NaN, the difference of unknown ages, counts as equal.
  return ids.sort((one, other) => Number(keys.get(one)) - Number(keys.get(other)) || 0);
}
