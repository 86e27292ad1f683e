/**
 * The sizes of the wall: how many clouds are shown how large. Pure.
 *
 * These numbers are defined here only. Style sheets refer to a size by `[data-size]` and read the
 * numbers of a tile from the custom properties that `tileProperties` names.
 */

/**
 * A card of fixed size. The numbers are px at the usual text size; `fitTile` fits them to another. Its
 * height is that of its content.
 *
 * @typedef {object} Tile
 * @property {number} minWidth
 * @property {number} gap between two tiles
 * @property {number} picture height of the cloud
 */

/**
 * What was measured of the texts in a tile, in px.
 *
 * @typedef {object} TileText
 * @property {number} rem the size of the page's text
 * @property {number} width that the longest text takes on one line, with the tile's padding
 * @property {number} space the width of the wall
 */

/**
 * @typedef {object} WallSize
 * @property {string} name value of `data-size`
 * @property {number} maxClouds
 * @property {Tile | null} tile null for cards in the flow of the document, which CSS sizes. Cards of
 *   fixed size form a crowd: its clouds are plain, and only those in sight exist
 * @property {number} redrawIntervalMs minimum time between two redraws, so that the changes of a
 *   crowd are drawn together
 */

/** @type {WallSize} */
const FEW = { name: "few", maxClouds: 3, tile: null, redrawIntervalMs: 0 };
/** @type {WallSize} */
const SOME = { name: "some", maxClouds: 24, tile: null, redrawIntervalMs: 0 };
/** @type {WallSize} */
const MANY = { name: "many", maxClouds: 200, tile: { minWidth: 158, gap: 12, picture: 122 }, redrawIntervalMs: 50 };
/** @type {WallSize} */
const DENSE = { name: "dense", maxClouds: Infinity, tile: { minWidth: 104, gap: 8, picture: 82 }, redrawIntervalMs: 100 };

/** Up to this number of clouds, each is drawn in detail. */
export const MAX_DETAILED = SOME.maxClouds;

/** From the smallest number of clouds to the largest. */
export const WALL_SIZES = [FEW, SOME, MANY, DENSE];

/** The text size in px for which the numbers of a tile are made. */
const USUAL_REM = 16;
/** A picture grows with the text up to this, because who needs larger text would see fewer clouds. */
const MAX_PICTURE_GROWTH = 1.25;

/**
 * The size of a wall.
 *
 * @param {number} count of all pillows, also those that a filter hides
 * @param {number} [maxDetailed] on a slow device less than usual
 */
export function wallSize(count, maxDetailed = MAX_DETAILED) {
  return WALL_SIZES.find((size) => count <= (size === SOME ? maxDetailed : size.maxClouds)) ?? DENSE;
}

/** Whether there are so many pillows that filters help. @param {number} count */
export const needsFilters = (count) => count > FEW.maxClouds;

/** Whether its clouds are plain, and their order is updated at intervals. @param {WallSize} size */
export const isCrowd = ({ tile }) => tile !== null;

/** Whether a change is shown without a transition: of 2,000 clouds, some change in every frame. @param {WallSize} size */
export const isDense = (size) => size === DENSE;

/**
 * A tile that is wide enough for its texts, but where texts may wrap two still lie side by side.
 *
 * @param {Tile} tile
 * @param {TileText} text
 * @returns {Tile}
 */
export function fitTile({ minWidth, gap, picture }, { rem, width, space }) {
  const growth = rem / USUAL_REM;
  return {
    minWidth: Math.max(minWidth * growth, Math.min(Math.ceil(width), (space - gap) / 2)),
    gap,
    picture: Math.round(picture * Math.min(growth, MAX_PICTURE_GROWTH)),
  };
}

/**
 * The custom properties of a tile for style sheets, with their values.
 *
 * @param {Tile | null} tile
 * @returns {[string, string][]} empty values without a tile
 */
export function tileProperties(tile) {
  return [["--tile-picture", tile === null ? "" : `${tile.picture}px`]];
}
