/** The positions of a wall's tiles, and which of them are in sight. Pure. */

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} width of a tile
 * @property {number} height of a tile
 * @property {number} gap between two tiles
 * @property {number} totalHeight of the wall
 */

/**
 * @param {number} count number of tiles
 * @param {number} space width of the wall
 * @param {{minWidth: number, height: number, gap: number}} tile
 * @returns {Grid}
 */
export function computeGrid(count, space, { minWidth, height, gap }) {
  const columns = Math.max(1, Math.floor((space + gap) / (minWidth + gap)));
  const width = (space - gap * (columns - 1)) / columns;
  const rows = Math.ceil(count / columns);
  return { columns, width, height, gap, totalHeight: Math.max(0, rows * (height + gap) - gap) };
}

/**
 * The position of a tile.
 *
 * @param {number} index
 * @param {Grid} grid
 */
export function tilePosition(index, { columns, width, height, gap }) {
  return { left: (index % columns) * (width + gap), top: Math.floor(index / columns) * (height + gap) };
}

/**
 * The tiles between two heights of the wall, and one more row on each side.
 *
 * @param {number} count number of tiles
 * @param {number} top
 * @param {number} bottom
 * @param {Grid} grid
 * @returns {[number, number]} index of the first, and index after the last
 */
export function visibleRange(count, top, bottom, { columns, height, gap }) {
  const first = Math.max(0, Math.floor(top / (height + gap)) - 1) * columns;
  const end = (Math.ceil(bottom / (height + gap)) + 1) * columns;
  return [Math.min(first, count), Math.max(0, Math.min(end, count))];
}

/**
 * By how many tiles a key moves the focus.
 *
 * @param {string} key
 * @param {number} columns
 * @param {number} page number of tiles on a page
 * @param {boolean} isRightToLeft whether the first tile of a row is the rightmost
 * @returns {number | undefined} undefined for a key that does not move it
 */
export function keyStep(key, columns, page, isRightToLeft) {
  const right = isRightToLeft ? -1 : 1;
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -right, ArrowRight: right, ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
  return steps[key];
}

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
