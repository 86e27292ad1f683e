/**
 * The gateway of the page: the folder that it was loaded as.
 *
 * The gateway serves the page as a folder only. Where a proxy leaves out the last slash, as for
 * `https://host/pillows`, references would begin one folder above.
 *
 * @param {{pathname: string, href: string}} location
 * @returns {URL}
 */
export function gatewayFolder({ pathname, href }) {
  return new URL(pathname.replace(/\/?$/, "/"), href);
}
