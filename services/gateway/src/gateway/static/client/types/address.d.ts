/** Where a gateway is. */
/**
 * An address on the web; null when it is none.
 *
 * @param {string | URL | undefined} text
 * @param {string | undefined} base what a text without a host is beside
 */
export declare function webAddress(text: string | URL | undefined, base: string | undefined): URL | null;
