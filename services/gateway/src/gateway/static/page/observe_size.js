/** Tells when the size of an element has changed. */

/**
 * Call back with the width of an element, in the frame after each change of its size: what is laid out while
 * observers are called changes sizes again, which browsers report as an error.
 *
 * @param {Element} element
 * @param {(width: number) => void} onSize
 */
export function observeSize(element, onSize) {
  let width = NaN;
  let isDue = false;
  const tell = () => {
    isDue = false;
    onSize(width);
  };
  new ResizeObserver(([{ contentRect }]) => {
    width = contentRect.width;
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(tell);
  }).observe(element);
}
