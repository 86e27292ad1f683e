/** What the page shows, as the fragment of its URL. Pure. */

import { isPillowId } from "../client/frames.js";

/** The address of wall mode, with its options and a filter behind a question mark. */
const WALL = /^wall(?:\?(.*))?$/;

const ORDERS = ["name", "state", "newest", "oldest", "hugged"];

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
 * @property {string} [wall] in wall mode: its options, `dim=22-7`
 */

/**
 * Parse a fragment. Whatever is not valid in it is ignored.
 *
 * @param {string} hash `#cloud-1`, or `#state=hugging,punching&name=cloud&order=newest`, or `#wall`,
 *   `#wall?dim=22-7&order=newest`
 * @returns {Route}
 */
export function parseHash(hash) {
  const text = hash.replace(/^#/, "");
  const wall = WALL.exec(text);
  const fields = new URLSearchParams(wall === null ? text : wall[1]);
  const id = fields.get("pillow") ?? text;
  if (wall === null && isPillowId(id)) return { pillow: id, filter: { states: [], name: "", order: "name" } };
  const order = fields.get("order") ?? "";
  const states = (fields.get("state") ?? "").split(",").filter(Boolean);
  return {
    pillow: null,
    filter: { states, name: fields.get("name") ?? "", order: ORDERS.includes(order) ? order : "name" },
    ...(wall !== null && { wall: wall[1] ?? "" }),
  };
}

/** The fragment of a pillow's detail view; one may be called like wall mode. @param {string} id */
export const hashOf = (id) => (id === "wall" ? "#pillow=wall" : `#${id}`);

/** The fragment of wall mode for a filter. @param {Filter} filter */
export const wallHash = (filter) => formatHash(filter).replace(/^#?/, (hash) => (hash === "" ? "#wall" : "#wall?"));

/** The fragment of a filtered wall; "" for one that shows everything. @param {Filter} filter */
export function formatHash({ states, name, order }) {
  const fields = [];
  if (states.length > 0) fields.push(`state=${states.map(encodeURIComponent).join(",")}`);
  if (name !== "") fields.push(`name=${encodeURIComponent(name)}`);
  if (order !== "name") fields.push(`order=${order}`);
  return fields.length === 0 ? "" : `#${fields.join("&")}`;
}
