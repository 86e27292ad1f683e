/**
 * Where the link to the wall leads: to the wall that the visitor came from, by the browser's own history, so
 * that neither its button nor the link repeats a page. Where the page was opened at a cloud, there is no wall
 * to go back to, and the link opens one as a new entry.
 */

/** @typedef {Pick<History, "state" | "replaceState">} Entries */

/**
 * Note in the history's entry whether the wall is the one before it. An entry that has the note keeps it: it
 * is then visited again.
 *
 * @param {Entries} history
 * @param {boolean} cameFromWall
 */
export function noteOrigin(history, cameFromWall) {
  if (history.state?.cameFromWall === undefined) history.replaceState({ cameFromWall }, "");
}

/**
 * Go back to the wall instead of following the link, if the visitor came from it and asks for no new tab.
 *
 * @param {MouseEvent} event a click on the link
 * @param {Pick<History, "state" | "back"> | undefined} history
 */
export function followBack(event, history) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !history?.state?.cameFromWall) return;
  event.preventDefault();
  history.back();
}
