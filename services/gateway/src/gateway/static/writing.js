/** Write a text only where it is another one: an untouched node costs the browser nothing. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
