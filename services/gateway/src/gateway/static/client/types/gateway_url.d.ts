/** Gateway URLs. */
/**
 * Parse an http or https URL.
 *
 * @param {string | URL | undefined} text
 * @param {string | undefined} base base of a relative URL
 * @returns {URL | null} null if it is no such URL
 */
export declare function parseHttpUrl(text: string | URL | undefined, base: string | undefined): URL | null;
/** Set the gateway of a client without a URL. @param {string} url */
export declare function setHome(url: string): void;
/**
 * The URL of the folder that holds the gateway's endpoints.
 *
 * @param {unknown} url as the user gave it, a text or a URL; if undefined, what serves this module or the document
 * @throws {TypeError} if there is no http or https URL
 */
export declare function gatewayFolder(url: unknown): URL;
/** The http or https URL that was meant by a text; an example if that is unknown. @param {string} text */
export declare function httpUrlFor(text: string): string;
/** Whether the address of a stream is of the origin that the document is of. @param {string} address */
export declare function isOwnOrigin(address: string): boolean;
/** The URL of the gateway's WebSocket. @param {URL} folder of the gateway's endpoints */
export declare function streamUrl(folder: URL): URL;
