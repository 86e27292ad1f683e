/**
 * Write a text only where it is another one: an untouched node costs the browser nothing.
 *
 * @param {Node} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A new element of a class, with a text. @param {string} tag */
export function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}

/**
 * A part of a drawing, which is there.
 *
 * @param {ParentNode} root
 * @param {string} selector
 */
export function part(root, selector) {
  return /** @type {SVGElement} */ (root.querySelector(selector));
}
