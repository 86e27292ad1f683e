/** Gateway URLs. */

/**
 * Parse an http or https URL.
 *
 * @param {string | URL | undefined} text
 * @param {string | undefined} base base of a relative URL
 * @returns {URL | null} null if it is no such URL
 */
export function parseHttpUrl(text, base) {
  try {
    const url = new URL(text ?? "", base);
    return /^https?:$/.test(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** The gateway of a client without a URL; undefined for that of the document. @type {string | undefined} */
let home;

/** Set the gateway of a client without a URL. @param {string} url */
export function setHome(url) {
  home = url;
}

/**
 * The URL of the folder that holds the gateway's endpoints.
 *
 * @param {unknown} url as the user gave it, a text or a URL; if undefined, what serves this module or the document
 * @throws {TypeError} if there is no http or https URL
 */
export function gatewayFolder(url) {
  const documentUrl = globalThis.document?.baseURI;
  const given = url ?? home ?? documentUrl;
  const folder = parseHttpUrl(given === undefined ? undefined : String(given), documentUrl);
  if (folder === null) throw new TypeError(`url is ${given ?? "missing"}: pass the URL of the gateway, as ${httpUrlFor(String(given))}`);
  if (url !== undefined && !folder.pathname.endsWith("/")) folder.pathname += "/";
  return folder;
}

/** The http or https URL that was meant by a text; an example if that is unknown. @param {string} text */
export function httpUrlFor(text) {
  if (/^https?:\/\/./i.test(text)) return text;
  if (/^wss?:/i.test(text)) return text.replace(/^ws/i, "http").replace(/\/ws\/?$/, "/");
  // A host without a scheme, as localhost:8000.
  return /^[\w.-]+(:\d+(\/|$)|\.)/.test(text) ? `http://${text} or https://${text}` : "https://host/";
}

/** Whether the address of a stream is of the origin that the document is of. @param {string} address */
export function isOwnOrigin(address) {
  const { protocol, host } = new URL(address);
  return `${protocol.replace("ws", "http")}//${host}` === globalThis.location?.origin;
}

/** The URL of the gateway's WebSocket. @param {URL} folder of the gateway's endpoints */
export function streamUrl(folder) {
  const url = new URL("ws", folder);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}
