/** Write a text only where it is another one: an untouched node costs the browser nothing. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A new element of a class, with a text. */
export function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}
