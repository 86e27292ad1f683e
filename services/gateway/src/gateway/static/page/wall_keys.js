/** Keys that move the focus along the wall. */

/** Rows that Page Up and Page Down move in the flow of the document. */
const PAGE_ROWS = 3;

/**
 * By how many tiles a key moves the focus.
 *
 * @param {string} key
 * @param {number} columns
 * @param {number} page number of tiles on a page
 * @param {boolean} [isMirrored] whether the first column is on the right
 * @returns {number | undefined} undefined for a key that does not move it
 */
export function keyStep(key, columns, page, isMirrored = false) {
  const next = isMirrored ? -1 : 1;
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -next, ArrowRight: next, ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
  return steps[key];
}

/**
 * @param {HTMLElement} container of the cards
 * @param {Pick<import("./wall.js").Wall, "ids" | "grid" | "focus">} wall
 */
export function addWallKeys(container, wall) {
  container.addEventListener("keydown", (event) => {
    const card = event.target instanceof Element ? event.target.closest(".card") : null;
    const from = card instanceof HTMLElement ? wall.ids.indexOf(card.dataset.pillow ?? "") : -1;
    if (from === -1 || event.ctrlKey || event.altKey || event.metaKey) return;
    const { grid } = wall;
    const columns = grid?.columns ?? getComputedStyle(container).gridTemplateColumns.split(" ").length;
    const rows = grid === null ? PAGE_ROWS : Math.max(1, Math.floor(innerHeight / (grid.height + grid.gap)) - 1);
    const step = keyStep(event.key, columns, columns * rows, getComputedStyle(container).direction === "rtl");
    if (step === undefined) return;
    event.preventDefault();
    wall.focus(wall.ids[Math.max(0, Math.min(wall.ids.length - 1, from + step))]);
  });
}
