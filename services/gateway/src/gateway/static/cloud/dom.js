/** Small helpers over the DOM that the page and the element share. */

/** The text that was set last. @type {WeakMap<Node, string>} */
const written = new WeakMap();

/**
 * Set the text of a node if it differs from what was set before, because a node that is not touched
 * costs no style and no layout. What the node has now does not count: a browser that translates the page
 * has replaced it.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if ((written.get(node) ?? node.textContent) === text) return;
  written.set(node, text);
  node.textContent = text;
}

/**
 * Create an element with a class and a text.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function createElement(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/**
 * Return the element of an id that the document is known to have. The caller names its type.
 *
 * @template {HTMLElement} Type
 * @param {Document} root
 * @param {string} id
 * @returns {Type}
 */
export function byId(root, id) {
  const found = /** @type {unknown} */ (root.getElementById(id));
  return /** @type {Type} */ (found);
}

/**
 * Return the first element in a drawing that matches a selector. The drawing is known to have one.
 *
 * @param {ParentNode} root
 * @param {string} selector
 */
export function query(root, selector) {
  return /** @type {SVGElement} */ (root.querySelector(selector));
}
