/** The style sheets of the element, which belong to one document each. */

/** @type {WeakMap<Document, CSSStyleSheet[]>} */
const known = new WeakMap();

/**
 * The style sheets of these texts for a document. One that has no window shows nothing and has none.
 *
 * @param {Document} document
 * @param {string[]} texts
 */
export function styleSheets(document, texts) {
  const view = document.defaultView;
  if (view === null) return [];
  const sheets = known.get(document) ?? texts.map((text) => {
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  known.set(document, sheets);
  return sheets;
}
