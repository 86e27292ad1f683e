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
  element.classList.remove("long");
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
  element.classList.add("long");
  setText(element, "");
  element.replaceChildren(createElement("span", "", head), createElement("span", "", tail));
  // Or a screen reader pauses between the two parts.
  element.setAttribute("aria-label", name);
}
