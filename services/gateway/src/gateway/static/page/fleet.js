/**
 * Which pillows the wall shows, and in which order; pure.
 *
 * Names are compared once, when a pillow comes: comparing two thousand of them as people do
 * takes longer than a frame.
 */

/** No id has more digits: see `isPillowId`. */
const DIGITS = 63;

export class Fleet {
  /** Every id, in the order of names. */
  names = [];
  /** What each id is ordered by. */
  #ranks = new Map();

  add(id) {
    if (this.has(id)) return;
    this.#ranks.set(id, rank(id));
    this.names.splice(this.#place(id), 0, id);
  }

  remove(id) {
    if (!this.has(id)) return;
    this.names.splice(this.#place(id), 1);
    this.#ranks.delete(id);
  }

  has(id) {
    return this.#ranks.has(id);
  }

  /**
   * The ids to show.
   *
   * @param {{states: string[], name: string, order: string}} sift
   * @param {(id: string) => string} stateOf
   * @param {(id: string) => number} asOf when its state was true; larger is newer
   * @param {string[]} [together] states, in the order in which they stand together
   */
  sifted({ states, name, order }, stateOf, asOf, together = []) {
    const wanted = name.trim().toLowerCase();
    const ids = this.names.filter(
      (id) => (states.length === 0 || states.includes(stateOf(id))) && (wanted === "" || id.includes(wanted)),
    );
    // Sorting is stable: what is equal stays in the order of names.
    if (order === "state") return sortedBy(ids, (id) => together.indexOf(stateOf(id)));
    if (order === "newest") return sortedBy(ids, (id) => -asOf(id));
    if (order === "oldest") return sortedBy(ids, asOf);
    return ids;
  }

  /** How many pillows are in each state. */
  counts(stateOf) {
    const counts = new Map();
    for (const id of this.names) counts.set(stateOf(id), (counts.get(stateOf(id)) ?? 0) + 1);
    return counts;
  }

  /** Where a name stands, or belongs, among the names in order. */
  #place(id) {
    const wanted = this.#ranks.get(id);
    let low = 0;
    let high = this.names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranks.get(this.names[middle]) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * A text that orders an id as people do, cloud-9 before cloud-10. `Intl.Collator` can do so, too,
 * but to make the first one takes a slow phone longer than all else that the page begins with.
 */
function rank(id) {
  return `${id.replace(/\d+/g, (number) => number.padStart(DIGITS, "0"))} ${id}`;
}

function sortedBy(ids, key) {
  const keys = new Map(ids.map((id) => [id, key(id)]));
  return ids.sort((one, other) => (keys.get(one) - keys.get(other)) || 0);
}
