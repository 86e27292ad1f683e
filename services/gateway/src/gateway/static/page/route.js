/** What the page shows, as the fragment of its URL. Pure. */

import { isPillowId } from "../client/frames.js";

export const ORDERS = ["name", "state", "newest", "oldest"];

/**
 * Which pillows the wall shows.
 *
 * @typedef {object} Filter
 * @property {string[]} states only pillows in one of these states; all if empty
 * @property {string} name only pillows whose id contains this text
 * @property {string} order one of ORDERS
 */

/**
 * @typedef {object} Route
 * @property {string | null} pillow the pillow of the detail view; null for the wall
 * @property {Filter} filter
 */

/**
 * Parse a fragment. Whatever is not valid in it is ignored.
 *
 * @param {string} hash `#cloud-1`, or `#state=hugging,punching&name=cloud&order=newest`
 * @returns {Route}
 */
export function parseHash(hash) {
  const text = hash.replace(/^#/, "");
  if (isPillowId(text)) return { pillow: text, filter: { states: [], name: "", order: "name" } };
  const fields = new URLSearchParams(text);
  const order = fields.get("order") ?? "";
  const states = (fields.get("state") ?? "").split(",").filter(Boolean);
  return {
    pillow: null,
    filter: { states, name: fields.get("name") ?? "", order: ORDERS.includes(order) ? order : "name" },
  };
}

/** The fragment of a filtered wall; "" for one that shows everything. @param {Filter} filter */
export function formatHash({ states, name, order }) {
  const fields = [];
  if (states.length > 0) fields.push(`state=${states.join(",")}`);
  if (name !== "") fields.push(`name=${encodeURIComponent(name)}`);
  if (order !== "name") fields.push(`order=${order}`);
  return fields.length === 0 ? "" : `#${fields.join("&")}`;
}
