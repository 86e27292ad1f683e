/** Shows that cards moved: each glides from where it was to where it is. */

const GLIDE_MS = 420;
const EASING = "cubic-bezier(0.3, 0.7, 0.2, 1)";
/** Of more moves than these at once, an eye follows none, and each would be a layer to draw. */
export const MAX_MOVES = 60;

/** @typedef {{left: number, top: number, width: number, height: number}} Box */

/**
 * The cards to move, and from how far. Pure.
 *
 * @template Key
 * @param {Map<Key, Box>} before the boxes of the cards, in px in the window
 * @param {Map<Key, Box>} after
 * @param {number} height of the window
 * @returns {{key: Key, x: number, y: number}[]} none if they are too many
 */
export function movesOf(before, after, height) {
  const isSeen = (/** @type {Box} */ box) => box.width > 0 && box.top < height && box.top + box.height > 0;
  const moves = [...after].flatMap(([key, box]) => {
    const old = before.get(key);
    if (old === undefined || !(isSeen(old) || isSeen(box)) || old.width === 0 || box.width === 0) return [];
    const [x, y] = [old.left - box.left, old.top - box.top];
    return Math.abs(x) + Math.abs(y) < 1 ? [] : [{ key, x, y }];
  });
  return moves.length > MAX_MOVES ? [] : moves;
}

/** @type {WeakMap<Element, Animation>} */
const gliding = new WeakMap();

/**
 * Remember where cards are. Call what it returns when they are where they belong.
 *
 * @param {Iterable<{element: HTMLElement}>} cards
 * @param {{isAllowed: boolean, height: number}} how `isAllowed`: the visitor's system allows motion; `height`
 *   of the window
 * @returns {() => void}
 */
export function watchMoves(cards, { isAllowed, height }) {
  if (!isAllowed) return () => {};
  const elements = [...cards].map(({ element }) => element);
  const boxes = () => new Map(elements.filter((one) => one.isConnected).map((one) => [one, one.getBoundingClientRect()]));
  const ids = new Map(elements.map((one) => [one, one.dataset.pillow]));
  // Where they are seen, also in the middle of an earlier move.
  const before = boxes();
  return () => {
    for (const element of elements) gliding.get(element)?.cancel();
    for (const { key, x, y } of movesOf(before, boxes(), height)) {
      // A card that shows another pillow now has not moved.
      if (key.dataset.pillow !== ids.get(key)) continue;
      gliding.set(key, key.animate({ transform: [`translate(${x}px, ${y}px)`, "none"] }, { duration: GLIDE_MS, easing: EASING }));
    }
  };
}
