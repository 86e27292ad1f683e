/** The sentences of elements: English ones at once, those of other languages when they are needed. */

import english from "../texts/en.js";
import { Texts } from "./texts.js";

/** The other languages, whose sentences are modules of the gateway. */
export const TRANSLATED = ["de", "fr", "es", "ja", "ar"];

/** @type {Map<string, Texts>} */
const known = new Map();

/**
 * The sentences for a language: in English while others are loading, and where there are no others.
 *
 * @param {string} language a language tag, of which a region does not count
 * @param {string} gateway the URL of the gateway's folder
 * @param {() => void} onLoad called once others are there
 * @param {(url: string) => Promise<{default?: import("./texts.js").Table}>} [load] what a test replaces
 * @returns {Texts}
 */
export function elementTexts(language, gateway, onLoad, load = (url) => import(url)) {
  const name = language.toLowerCase().split("-")[0];
  const texts = known.get(name) ?? new Texts("en", english, globalThis.navigator?.languages);
  if (known.has(name)) return texts;
  known.set(name, texts);
  if (TRANSLATED.includes(name)) {
    load(new URL(`texts/${name}.js`, gateway).href).then(tableOf).then(
      (table) => {
        known.set(name, new Texts(name, { ...english, ...table }, globalThis.navigator?.languages));
        onLoad();
      },
      () => console.warn(`<cloud-pillow>: ${gateway} has no texts in ${name}; they stay English`),
    );
  }
  return texts;
}

/** @param {{default?: import("./texts.js").Table}} module */
function tableOf(module) {
  // Firefox takes a response that was cut for a whole one.
  if (module.default === undefined) throw new Error("it arrived incomplete");
  return module.default;
}

/** The language of an element, which is that of the nearest element with one; "" without. @param {Element} element */
export function languageOf(element) {
  for (let /** @type {Element | null} */ from = element; from !== null; ) {
    const found = from.closest("[lang]");
    if (found !== null) return found.getAttribute("lang") ?? "";
    const root = from.getRootNode();
    from = root instanceof ShadowRoot ? root.host : null;
  }
  return "";
}
