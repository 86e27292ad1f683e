/** Names on cards, of which both ends are shown where there is no room: many differ at their end. */

import { createElement, setText } from "../cloud/dom.js";

/** Names up to this length are not split. */
const SHORT = 12;
/** Number of characters at the end that stay. */
const TAIL = 8;

/**
 * Split a name into a part that may be shortened and an end that stays. Pure.
 *
 * @param {string} name
 * @returns {[string, string]} the end of a short name is ""
 */
export function splitName(name) {
  const characters = [...name];
  if (characters.length <= SHORT) return [name, ""];
  let end = characters.length - TAIL;
  // An accent stays at its letter.
  while (end > 1 && /^[\p{M}\u200d\ufe0f]/u.test(characters[end])) end -= 1;
  return [characters.slice(0, end).join(""), characters.slice(end).join("")];
}

/** Show a label in an element, at the end of which it is shortened if need be. @param {HTMLElement} element @param {string} label */
export function showLabel(element, label) {
  element.classList.remove("long", "labelled");
  element.removeAttribute("aria-label");
  setText(element, label);
}

/**
 * Show a name in an element, in the middle of which it is shortened if need be.
 *
 * @param {HTMLElement} element
 * @param {string} name
 */
export function showName(element, name) {
  const [head, tail] = splitName(name);
  if (tail === "") {
    showLabel(element, name);
    return;
  }
  showParts(element, name, "long", [createElement("span", "", head), createElement("span", "", tail)]);
}

/**
 * Show a label and its id on one line, each shortened at its end if need be.
 *
 * @param {HTMLElement} element
 * @param {string} label
 * @param {string} id
 */
export function showLabelAndId(element, label, id) {
  // Each has its own direction.
  showParts(element, `${label} ${id}`, "labelled", [createElement("bdi", "", label), createElement("bdi", "id", id)]);
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {string} className
 * @param {HTMLElement[]} parts
 */
function showParts(element, name, className, parts) {
  showLabel(element, "");
  element.classList.add(className);
  element.replaceChildren(...parts);
  // Or a screen reader pauses between the parts.
  element.setAttribute("aria-label", name);
}
