/**
 * Loads the page anew if its response was cut: at a wall is nobody who would do so.
 *
 * Chromium fires no event then, and goes on as if it was loading.
 */

/** A page of which nothing more comes for this time is loaded anew, also on a link that is as slow. */
const MAX_SILENCE_MS = 60_000;

/**
 * Look at the page until its modules have started.
 *
 * @param {Document} document
 * @param {Pick<Location, "reload">} location
 * @param {(callback: () => void, ms: number) => unknown} setTimeout
 */
export function reloadIfIncomplete(document, location, setTimeout) {
  let last = -1;
  const check = () => {
    // The first thing that main.js does is to adopt a style sheet. A browser that cannot do so is too old for the page.
    if (document.adoptedStyleSheets?.length !== 0) return;
    const { length } = document.documentElement.outerHTML;
    if (length === last) location.reload();
    last = length;
    setTimeout(check, MAX_SILENCE_MS);
  };
  check();
}
