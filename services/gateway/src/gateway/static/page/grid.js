/** Where the tiles of a wall lie, and which of them can be seen; pure. */

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} width of a tile
 * @property {number} height of a tile
 * @property {number} gap
 * @property {number} total height of the whole wall
 */

/**
 * @param {number} count tiles
 * @param {number} space width there is
 * @param {{least: number, height: number, gap: number}} size of a tile: its least width, its height
 * @returns {Grid}
 */
export function gridOf(count, space, { least, height, gap }) {
  const columns = Math.max(1, Math.floor((space + gap) / (least + gap)));
  const width = (space - gap * (columns - 1)) / columns;
  const rows = Math.ceil(count / columns);
  return { columns, width, height, gap, total: Math.max(0, rows * (height + gap) - gap) };
}

/** Where a tile lies. */
export function placeOf(index, { columns, width, height, gap }) {
  return { left: (index % columns) * (width + gap), top: Math.floor(index / columns) * (height + gap) };
}

/**
 * The tiles between two heights of the wall, and a row more on each side.
 *
 * @returns {[number, number]} the first, and the one after the last
 */
export function inSight(count, top, bottom, { columns, height, gap }) {
  const first = Math.max(0, Math.floor(top / (height + gap)) - 1) * columns;
  const end = (Math.ceil(bottom / (height + gap)) + 1) * columns;
  return [Math.min(first, count), Math.max(0, Math.min(end, count))];
}

/** Where an arrow key leads from one tile. */
export function stepOf(key, columns, page) {
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity }[key];
}

/**
 * Which of some ranks stand wrong: the fewest that, moved, leave the rest in order.
 *
 * @param {number[]} ranks all different
 * @param {number} [fixed] the place of one that must not be moved, wherever it stands
 * @returns {Set<number>}
 */
export function misplaced(ranks, fixed = -1) {
  if (fixed >= 0) {
    const fits = ranks.filter((rank, i) => i === fixed || i < fixed === rank < ranks[fixed]);
    const others = ranks.filter((rank) => !fits.includes(rank));
    return new Set([...misplaced(fits), ...others]);
  }
  const longest = [];
  const before = [];
  let end = -1;
  for (let i = 0; i < ranks.length; i += 1) {
    longest[i] = 1;
    before[i] = -1;
    for (let j = 0; j < i; j += 1) {
      if (ranks[j] < ranks[i] && longest[j] >= longest[i]) {
        longest[i] = longest[j] + 1;
        before[i] = j;
      }
    }
    if (end === -1 || longest[i] > longest[end]) end = i;
  }
  const wrong = new Set(ranks);
  for (let i = end; i !== -1; i = before[i]) wrong.delete(ranks[i]);
  return wrong;
}
