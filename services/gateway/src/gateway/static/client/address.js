/** Where a gateway is. */

/**
 * An address on the web; null when it is none.
 *
 * @param {string | URL | undefined} text
 * @param {string | undefined} base what a text without a host is beside
 */
export function webAddress(text, base) {
  try {
    const url = new URL(text ?? "", base);
    return /^https?:$/.test(url.protocol) ? url : null;
  } catch {
    return null;
  }
}
