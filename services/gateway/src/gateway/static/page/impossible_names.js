/** Says that no pillow can have a name of the address: the clouds that it should show never come. */

import { isPillowId } from "../client/frames.js";
import { byId, createElement } from "../cloud/dom.js";

/** How much of a name is shown. */
const MAX_SHOWN = 80;

/**
 * The name in an address that no pillow can have; null if there is none. Pure.
 *
 * @param {{search: string, hash: string}} address
 */
export function impossibleName({ search, hash }) {
  const inQuery = new URLSearchParams(search).getAll("pillow").find((name) => !isPillowId(name));
  if (inQuery !== undefined) return inQuery;
  const fragment = hash.slice(1);
  return fragment === "" || fragment.includes("=") || isPillowId(fragment) ? null : decoded(fragment);
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The id that was probably meant; null if none is near. Pure. @param {string} name */
export function nearestId(name) {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const id = plain.replace(/[^a-z0-9]+/g, "-").slice(0, 63).replace(/^-+|-+$/g, "");
  return isPillowId(id) ? id : null;
}

/**
 * @param {Document} document
 * @param {{search: string, hash: string}} address
 * @param {import("../cloud/texts.js").Texts} texts
 */
export function showImpossibleNames(document, address, texts) {
  document.getElementById("impossible-name")?.remove();
  const name = impossibleName(address);
  if (name === null) return;
  const note = createElement("p", "note", texts.format("extras.impossible", { name: shortened(name) }));
  note.id = "impossible-name";
  note.setAttribute("role", "status");
  const meant = nearestId(name);
  if (meant !== null) {
    const link = createElement("a", "", texts.format("extras.did-you-mean", { name: meant }));
    link.href = `?pillow=${meant}`;
    note.append(" ", link);
  }
  byId(document, "main").prepend(note);
}

/** A name that changes no order of the text around it. @param {string} name */
function shortened(name) {
  const characters = [...name.replace(/[\p{Cc}\p{Cf}]/gu, "")];
  return characters.length <= MAX_SHOWN ? characters.join("") : `${characters.slice(0, MAX_SHOWN).join("")}…`;
}
