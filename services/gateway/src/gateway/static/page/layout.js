/**
 * The sizes of the wall: how many clouds are shown how large. Pure.
 *
 * These numbers are defined here only. Style sheets refer to a size by `[data-size]` and read the
 * numbers of a tile from the custom properties that `tileProperties` names.
 */

/**
 * A card of fixed size, in px.
 *
 * @typedef {object} Tile
 * @property {number} minWidth
 * @property {number} height
 * @property {number} gap between two tiles
 * @property {number} picture height of the cloud
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
const MANY = { name: "many", maxClouds: 200, tile: { minWidth: 158, height: 218, gap: 12, picture: 122 }, redrawIntervalMs: 50 };
/** @type {WallSize} */
const DENSE = { name: "dense", maxClouds: Infinity, tile: { minWidth: 104, height: 134, gap: 8, picture: 82 }, redrawIntervalMs: 100 };

/** From the smallest number of clouds to the largest. */
export const WALL_SIZES = [FEW, SOME, MANY, DENSE];

/** The size of a wall. @param {number} count of all pillows, also those that a filter hides */
export function wallSize(count) {
  return WALL_SIZES.find(({ maxClouds }) => count <= maxClouds) ?? DENSE;
}

/** Whether there are so many pillows that filters help. @param {number} count */
export const needsFilters = (count) => count > FEW.maxClouds;

/** Whether there are so many pillows that their order is updated at intervals. @param {number} count */
export const isCrowd = (count) => count > SOME.maxClouds;

/** Whether a change is shown without a transition: of 2,000 clouds, some change in every frame. @param {WallSize} size */
export const isDense = (size) => size === DENSE;

/**
 * The custom properties of a tile for style sheets, with their values.
 *
 * @param {Tile | null} tile
 * @returns {[string, string][]} empty values without a tile
 */
export function tileProperties(tile) {
  return [["--tile-picture", tile === null ? "" : `${tile.picture}px`]];
}
