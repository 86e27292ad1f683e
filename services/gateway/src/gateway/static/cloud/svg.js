/**
 * Creates SVG elements from the cloud's own markup, element by element: a site with Trusted Types forbids
 * to parse text as markup.
 */

const SVG = "http://www.w3.org/2000/svg";
const TAG = /<(\/?)(\w+)([^>]*?)(\/?)>/g;
const ATTRIBUTE = /([\w-]+)="([^"]*)"/g;

/**
 * Create the elements of a source that has tags and attributes in double quotes only: no text, no `>` in a
 * value, no entities.
 *
 * @param {string} source one element with its content
 */
export function createSvg(source) {
  const root = document.createDocumentFragment();
  /** @type {(DocumentFragment | Element)[]} */
  const open = [root];
  for (const [, isEnd, name, attributes, isEmpty] of source.matchAll(TAG)) {
    if (isEnd) {
      open.pop();
      continue;
    }
    const element = document.createElementNS(SVG, name);
    for (const [, key, value] of attributes.matchAll(ATTRIBUTE)) element.setAttribute(key, value);
    open[open.length - 1].append(element);
    if (!isEmpty) open.push(element);
  }
  return /** @type {SVGElement} */ (root.firstChild);
}
