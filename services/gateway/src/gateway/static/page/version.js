/** Which release a page is of: every address of its parts has it. */

export const VERSION = /assets\/[0-9a-f]{12}\//;

/** The version in an address of a part of the page; "" without one. @param {string} address */
export function versionIn(address) {
  return VERSION.exec(address)?.[0] ?? "";
}
