/** Where on the page one is, as the part of the address after `#`; pure. */

import { isPillowId } from "../client/frames.js";

export const ORDERS = ["name", "state", "newest", "oldest"];

/**
 * @typedef {object} Place
 * @property {string | null} pillow the one that is looked at; null for the wall
 * @property {{states: string[], name: string, order: string}} sift what the wall shows
 */

/** @param {string} hash `#cloud-1`, or `#state=hugging,punching&name=cloud&order=newest` */
export function readHash(hash) {
  const text = hash.replace(/^#/, "");
  if (isPillowId(text)) return { pillow: text, sift: { states: [], name: "", order: "name" } };
  const fields = new URLSearchParams(text);
  const order = fields.get("order") ?? "";
  const states = (fields.get("state") ?? "").split(",").filter(Boolean);
  return {
    pillow: null,
    sift: { states, name: fields.get("name") ?? "", order: ORDERS.includes(order) ? order : "name" },
  };
}

/** The address of a wall sifted so; "" for one that shows everything. */
export function writeHash({ states, name, order }) {
  const fields = [];
  if (states.length > 0) fields.push(`state=${states.join(",")}`);
  if (name !== "") fields.push(`name=${encodeURIComponent(name)}`);
  if (order !== "name") fields.push(`order=${order}`);
  return fields.length === 0 ? "" : `#${fields.join("&")}`;
}
