/** Wall mode's grid: all clouds as large as fit on the screen, the last row centred. Pure. */

/** A crowd above this is shown in parts, one after the other: smaller clouds cannot be told apart. */
export const MAX_AT_ONCE = 1_000;
/** Width of a picture divided by its height. */
const RATIO = 240 / 210;
/** Share of a card's width and height that is kept free around its content. */
const PADDING = 0.03;
/** Share of a card's height that its text may take. */
const MAX_TEXT = 0.42;
/** Text that is read across a room, as a share of the screen's height. */
const READABLE = 0.018;
const MIN_FONT_PX = 11;
/** Text may be smaller than that by this factor before the card says less instead. */
const MIN_READABLE = 0.85;
/** Size of the name, as a share of the smaller side of a card. */
const FONT = 0.048;

/**
 * What a card says, from the hugs of today to nothing: `height` and `width` that it takes, in sizes of the name's font.
 *
 * @type {readonly {says: string, height: number, width: number}[]}
 */
export const LEVELS = [
  { says: "story", height: 6.4, width: 13 },
  { says: "all", height: 5.1, width: 9 },
  { says: "state", height: 3.2, width: 9 },
  { says: "name", height: 1.5, width: 6.4 },
  { says: "nothing", height: 0, width: 0 },
];
/** What the line of an id below a label adds, in sizes of the name's font. A card that says only its name has one line for both. */
const ID_HEIGHT = 0.5;
const MIN_HEIGHT_WITH_ID = 3;

/**
 * @typedef {object} Fit
 * @property {import("./grid.js").Grid} grid
 * @property {[number, number]} range the clouds that are shown: index of the first, and index after the last
 * @property {number} parts number of parts in which all clouds are shown
 * @property {string} says what a card says: one of LEVELS
 * @property {number} font size of the name in px
 * @property {number} picture height of the cloud in px
 */

/**
 * @param {number} count of all clouds
 * @param {number} width of the screen in px
 * @param {number} height of the screen in px
 * @param {{turn?: number, hasLabels?: boolean}} [how] `turn`: how often the next part was shown, if there are several
 * @returns {Fit}
 */
export function fitGrid(count, width, height, { turn = 0, hasLabels = false } = {}) {
  const parts = Math.max(1, Math.ceil(count / MAX_AT_ONCE));
  // Parts of one size, so that no cloud is smaller than another one.
  const size = Math.ceil(count / parts);
  const from = (turn % parts) * size;
  const to = Math.min(count, from + size);
  const levels = hasLabels ? LEVELS.map((level) => ({ ...level, height: level.height + (level.height > MIN_HEIGHT_WITH_ID ? ID_HEIGHT : 0) })) : LEVELS;
  return { ...fitPart(Math.max(1, size), to - from, { width, height }, levels), range: [from, to], parts };
}

/**
 * @param {number} size number of clouds for which there is room
 * @param {number} shown number of clouds of this part
 * @param {{width: number, height: number}} screen
 * @param {typeof LEVELS} levels
 */
function fitPart(size, shown, { width, height }, levels) {
  const gap = Math.round(Math.min(width, height) * (size > 60 ? 0.006 : 0.014));
  const best = levels.map((level) => bestColumns(size, { width, height, gap }, level)).find((one) => one !== undefined);
  // The last level says nothing and always fits.
  const { columns, card, says, font, picture } = /** @type {Cell} */ (best);
  const rows = Math.ceil(size / columns);
  const lastRow = Math.ceil(shown / columns) - 1;
  const inLastRow = shown - lastRow * columns;
  const grid = {
    columns,
    ...card,
    gap,
    start: gap,
    top: gap,
    totalHeight: rows * (card.height + gap) + gap,
    lastRow,
    lastRowShift: ((columns - inLastRow) * (card.width + gap)) / 2,
  };
  return { grid, says, font, picture };
}

/** @typedef {{columns: number, card: {width: number, height: number}, says: string, font: number, picture: number, isLegible: boolean}} Cell */

/**
 * The number of columns with the largest pictures; undefined if the text of a level has no room then.
 *
 * @param {number} count
 * @param {{width: number, height: number, gap: number}} screen
 * @param {typeof LEVELS[number]} level
 * @returns {Cell | undefined}
 */
function bestColumns(count, screen, level) {
  /** @type {Cell | undefined} */
  let best;
  for (let rows = 1; rows <= count; rows += 1) {
    // More columns than these would only leave the last row emptier.
    const cell = cellOf(Math.ceil(count / rows), rows, screen, level);
    if (best === undefined || cell.picture > best.picture) best = cell;
  }
  return best?.isLegible ? best : undefined;
}

/**
 * @param {number} columns
 * @param {number} rows
 * @param {{width: number, height: number, gap: number}} screen
 * @param {typeof LEVELS[number]} level
 * @returns {Cell}
 */
function cellOf(columns, rows, screen, { says, height, width }) {
  const card = { width: (screen.width - screen.gap) / columns - screen.gap, height: (screen.height - screen.gap) / rows - screen.gap };
  const inner = { width: card.width * (1 - 2 * PADDING), height: card.height * (1 - 2 * PADDING) };
  const readable = Math.max(MIN_FONT_PX, screen.height * READABLE);
  const wished = Math.max(readable, Math.min(card.width, card.height) * FONT);
  const least = height === 0 ? 0 : Math.min(wished, inner.width / width);
  const picture = Math.max(1, Math.min(inner.width / RATIO, inner.height - least * height));
  // Where the width limits the picture, the text takes what is left of the height.
  const font = height === 0 ? 0 : Math.max(least, Math.min(inner.width / width, (inner.height - picture) / height));
  const isLegible = font * height <= inner.height * MAX_TEXT && (height === 0 || font >= Math.max(MIN_FONT_PX, readable * MIN_READABLE));
  return { columns, card, says, font, picture, isLegible };
}
