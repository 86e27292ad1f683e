/**
 * Loads the page anew if its response was cut, because on a wall nobody does so.
 *
 * Chromium fires no event then, and goes on as if it was loading. A page that has arrived and does not start is left
 * alone: to load it again would not help.
 */

/** When no more of a page came for this time, it is compared with the gateway's. */
const MAX_SILENCE_MS = 60_000;

/**
 * Look at the page until its modules have started.
 *
 * @param {Document} document
 * @param {Pick<Location, "reload">} location
 * @param {(callback: () => void, ms: number) => unknown} setTimeout
 * @param {() => Promise<string>} fetchPage the page's source; it is rejected, or no page, while nobody answers
 */
export function reloadIfIncomplete(document, location, setTimeout, fetchPage) {
  let last = -1;
  // The page adopts a style sheet when its modules have loaded. A browser that cannot do so is too old for it.
  const hasStarted = () => document.adoptedStyleSheets?.length !== 0;
  const check = async () => {
    if (hasStarted()) return;
    const { length } = document.documentElement.outerHTML;
    if (length === last) {
      const page = await fetchPage().catch(() => "");
      if (hasStarted()) return;
      const script = document.querySelector("body > script[type=module]")?.textContent;
      const isWhole = script && page.includes(`${script}<\/script>`);
      if (isWhole) return;
      if (page.includes("<\/html>")) return location.reload();
    }
    last = length;
    setTimeout(check, MAX_SILENCE_MS);
  };
  check();
}
