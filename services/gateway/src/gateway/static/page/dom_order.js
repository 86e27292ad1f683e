/** Sorts cards in the DOM with the fewest moves: to move the focused element would take its focus away. */

/**
 * The fewest elements of a sequence that must be moved to sort it: all that are not in its longest
 * increasing subsequence.
 *
 * @param {number[]} ranks all different
 * @param {number} [fixed] a rank that must not be moved
 * @returns {Set<number>}
 */
export function ranksToMove(ranks, fixed) {
  const fixedIndex = fixed === undefined ? -1 : ranks.indexOf(fixed);
  const isAllowed = (/** @type {number} */ i) => fixedIndex === -1 || i === fixedIndex || (i < fixedIndex) === (ranks[i] < ranks[fixedIndex]);
  /** Length of the longest subsequence that ends at an index, and the index before in it. */
  /** @type {number[]} */
  const lengths = [];
  /** @type {number[]} */
  const previous = [];
  let end = -1;
  for (let i = 0; i < ranks.length; i += 1) {
    lengths[i] = isAllowed(i) ? 1 : 0;
    previous[i] = -1;
    if (lengths[i] === 0) continue;
    for (let j = 0; j < i; j += 1) {
      if (lengths[j] > 0 && ranks[j] < ranks[i] && lengths[j] >= lengths[i]) {
        lengths[i] = lengths[j] + 1;
        previous[i] = j;
      }
    }
    if (end === -1 || lengths[i] > lengths[end]) end = i;
  }
  const toMove = new Set(ranks);
  for (let i = end; i !== -1; i = previous[i]) toMove.delete(ranks[i]);
  return toMove;
}

/**
 * Put the elements of cards in order. The focused one is not moved.
 *
 * @param {HTMLElement} container
 * @param {{element: HTMLElement}[]} cards
 * @param {(element: HTMLElement) => number} rankOf
 */
export function sortDom(container, cards, rankOf) {
  const focused = container.ownerDocument.activeElement?.closest?.(".card");
  const elements = /** @type {HTMLElement[]} */ ([...container.children]);
  const toMove = ranksToMove(elements.map(rankOf), focused instanceof HTMLElement ? rankOf(focused) : undefined);
  for (const { element } of [...cards].sort((one, other) => rankOf(one.element) - rankOf(other.element))) {
    const rank = rankOf(element);
    if (!toMove.has(rank)) continue;
    const siblings = /** @type {HTMLElement[]} */ ([...container.children]);
    const next = siblings.find((other) => rankOf(other) > rank && !toMove.has(rankOf(other)));
    container.insertBefore(element, next ?? null);
    toMove.delete(rank);
  }
}
