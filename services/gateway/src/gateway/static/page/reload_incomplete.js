// Loads the page anew if no more of it comes and its modules have not started: the response was cut, and at a wall
// is nobody who would do so. A classic script in the head, which has arrived before. Chromium fires no event then, and
// goes on as if it was loading.
{
  /** A link that is slower than this for a piece of the page has its page loaded again and again. */
  const MAX_SILENCE_MS = 60_000;

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
