/** The English texts of the page and of the element. */

import { readFileSync } from "node:fs";

import { Texts } from "../../services/gateway/src/gateway/static/cloud/texts.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const states = Object.entries(read("packages/contract/src/contract/states.json"));

/** The table of a language, as it is in the repository. */
export const readTable = (language) => read(`services/gateway/src/gateway/texts/${language}.json`);

export const TABLE = {
  ...Object.fromEntries(states.map(([name, { label }]) => [`state.${name}`, label])),
  ...readTable("en"),
};

export const english = new Texts("en", TABLE);
