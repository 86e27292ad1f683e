/** The addresses and snippets that visitors pass on. Pure. */

/**
 * The address of one pillow, in the form that has a title of its own on other sites.
 *
 * @param {URL} folder the gateway's
 * @param {string} pillow
 */
export function pillowLink(folder, pillow) {
  return `${folder.origin}${folder.pathname}?pillow=${pillow}`;
}

/**
 * The address of the wall with its filter. The language is the reader's own choice.
 *
 * @param {URL} folder
 * @param {{search: string, hash: string}} address
 */
export function wallLink(folder, { search, hash }) {
  const query = new URLSearchParams(search);
  query.delete("lang");
  const text = String(query);
  return `${folder.origin}${folder.pathname}${text === "" ? "" : `?${text}`}${hash}`;
}

/**
 * The elements that show pillows live in another page.
 *
 * @param {URL} folder
 * @param {readonly string[]} pillows
 * @param {boolean} isPrivate whether the gateway asks for a token
 */
export function embedSnippet(folder, pillows, isPrivate) {
  const gateway = `${folder.origin}${folder.pathname}`;
  const token = isPrivate ? ' token="TOKEN"' : "";
  const elements = pillows.map((pillow) => `<cloud-pillow pillow="${pillow}" src="${gateway}"${token}></cloud-pillow>`);
  return [`<script type="module" src="${gateway}embed.js"></script>`, ...elements].join("\n");
}

/**
 * Pictures without script, in Markdown.
 *
 * @param {URL} folder
 * @param {readonly string[]} pillows
 */
export function badgeSnippet(folder, pillows) {
  const gateway = `${folder.origin}${folder.pathname}`;
  return pillows.map((pillow) => `[![${pillow}](${gateway}badge/${pillow}.svg)](${pillowLink(folder, pillow)})`).join("\n");
}
