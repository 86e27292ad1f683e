/** Small helpers over the DOM that the page and the element share. */

/**
 * Set the text of a node if it differs, because a node that is not touched costs no style and no
 * layout.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
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
