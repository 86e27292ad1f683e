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
export type Frame = import("./frames.js").Frame;
export type Pillow = import("./frames.js").Pillow;
export type Hops = import("./frames.js").Hops;
export type Update = import("./store.js").Update;
export type Freshness = import("./freshness.js").Freshness;
export type PillowFreshness = import("./freshness.js").PillowFreshness;
export type Status = import("./connection.js").Status;
export type Surroundings = import("./connection.js").Surroundings;
export type Journey = import("./latency.js").Journey;
export type ChangeDetail = import("./client_events.js").ChangeDetail;
export type ConnectionDetail = import("./client_events.js").ConnectionDetail;
export type ChangeEvent = import("./client_events.js").ChangeEvent;
export type ConnectionEvent = import("./client_events.js").ConnectionEvent;
export type FaultEvent = import("./client_events.js").FaultEvent;
export type WatchingEvent = import("./client_events.js").WatchingEvent;
export type State = import("./frames.js").State;
export type EventName = import("./client_events.js").EventName;
export type Events = import("./client_events.js").Events;
export type Options = import("./options.js").Options;
export type Injected = import("./options.js").Injected;
export type AllOptions = import("./options.js").AllOptions;
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
export declare function connect(options?: AllOptions): Pillowcast;
