/** The positions of a wall's tiles, and which of them are in sight. Pure. */

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} width of a tile
 * @property {number} height of a tile
 * @property {number} gap between two tiles
 * @property {number} totalHeight of the wall
 * @property {number} [start] space in px before the first column
 * @property {number} [top] space in px above the first row
 * @property {number} [lastRow] index of the last row, if it is shifted
 * @property {number} [lastRowShift] in px, for a row that is centred
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
 * The position of a tile; `left` is from where lines begin.
 *
 * @param {number} index
 * @param {Grid} grid
 */
export function tilePosition(index, { columns, width, height, gap, start = 0, top = 0, lastRow, lastRowShift = 0 }) {
  const row = Math.floor(index / columns);
  return { left: start + (row === lastRow ? lastRowShift : 0) + (index % columns) * (width + gap), top: top + row * (height + gap) };
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
