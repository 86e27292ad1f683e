/**
 * Pillowcast's client: the live state of cloud pillows, in any page or program.
 *
 *     import { connect } from "https://pillows.example/pillowcast.js";
 *
 *     for await (const { id, pillow } of connect({ pillows: ["cloud-1"] })) {
 *       console.log(id, pillow ? pillow.state : "removed");
 *     }
 *
 * It keeps one connection, resumes at its cursor after a loss, and reports whether the states are live.
 */

import { Pillowcast } from "./client.js";

export { Pillowcast } from "./client.js";
export { RefusedError } from "./errors.js";
export { FrameError, isPillowId } from "./frames.js";
export { journey, quantile } from "./latency.js";
export { instant } from "./store.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./frames.js").Hops} Hops */
/** @typedef {import("./store.js").Update} Update */
/** @typedef {import("./freshness.js").Freshness} Freshness */
/** @typedef {import("./freshness.js").PillowFreshness} PillowFreshness */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./connection.js").Surroundings} Surroundings */
/** @typedef {import("./latency.js").Journey} Journey */
/** @typedef {import("./client_events.js").ChangeDetail} ChangeDetail */
/** @typedef {import("./client_events.js").ConnectionDetail} ConnectionDetail */
/** @typedef {import("./client_events.js").ChangeEvent} ChangeEvent */
/** @typedef {import("./client_events.js").ConnectionEvent} ConnectionEvent */
/** @typedef {import("./client_events.js").FaultEvent} FaultEvent */
/** @typedef {import("./client_events.js").WatchingEvent} WatchingEvent */
/** @typedef {import("./frames.js").State} State */
/** @typedef {import("./client_events.js").EventName} EventName */
/** @typedef {import("./client_events.js").Events} Events */
/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("./options.js").Injected} Injected */
/** @typedef {import("./options.js").AllOptions} AllOptions */

/** Create a client and connect it. @param {AllOptions} [options] */
export function connect(options) {
  return new Pillowcast(options).open();
}
