/**
 * The gateway's frames: text in, checked object out.
 *
 * Lives here: what a frame must look like.  Not here: what a frame does (store.js) and where
 * it came from (connection.js).  A type not known here is no error: a newer gateway may say
 * more than this client understands.
 */
export type Pillow = {
    /**
     * its id
     */
    pillow: string;
    /**
     * `neutral`, `hugging`, `punching`, `shaking`, `spinning`, `throwing` or
     * `notconnected`; a newer gateway may know more
     */
    state: string;
    /**
     * RFC 3339: when it was so
     */
    at: string;
    /**
     * orders states of equal `at`
     */
    seq?: number;
    /**
     * 0..1
     */
    confidence?: number;
    /**
     * 0..1
     */
    battery?: number;
    /**
     * accelerometer samples in g, oldest first
     */
    motion?: [number, number, number][];
    /**
     * when it passed where
     */
    hops?: Hops;
    /**
     * of a pillow that went silent: its last state
     */
    last?: string;
    /**
     * of a pillow that went silent: RFC 3339, since when
     */
    since?: string;
};
export type Hops = {
    /**
     * the queue took it; Azure tells whole seconds
     */
    queued?: number;
    /**
     * the poller received it
     */
    polled?: number;
    /**
     * the poller gave it to the broker
     */
    published?: number;
};
export type Broker = "online" | "offline";
export type SnapshotFrame = {
    type: "snapshot";
    cursor: string;
    recovered: boolean;
    broker: Broker;
    sent: number;
    pillows: Pillow[];
};
export type UpdateFrame = {
    type: "update";
    cursor: string;
    sent: number;
    pillows: Pillow[];
};
export type RemovedFrame = {
    type: "removed";
    cursor: string;
    pillows: string[];
};
export type StatusFrame = {
    type: "status";
    broker: Broker;
};
export type HeartbeatFrame = {
    type: "heartbeat";
    sent: number;
};
export type PongFrame = {
    type: "pong";
    sent: number;
    received: number;
};
export type GoodbyeFrame = {
    type: "goodbye";
    reconnect_ms: [number, number];
};
export type ErrorFrame = {
    type: "error";
    code: number;
    message: string;
};
export type Frame = SnapshotFrame | UpdateFrame | RemovedFrame | StatusFrame | HeartbeatFrame | PongFrame | GoodbyeFrame | ErrorFrame | {
    type: "unknown";
};
/**
 * The state of a pillow, as it was on MQTT.
 *
 * @typedef {object} Pillow
 * @property {string} pillow its id
 * @property {string} state `neutral`, `hugging`, `punching`, `shaking`, `spinning`, `throwing` or
 *   `notconnected`; a newer gateway may know more
 * @property {string} at RFC 3339: when it was so
 * @property {number} [seq] orders states of equal `at`
 * @property {number} [confidence] 0..1
 * @property {number} [battery] 0..1
 * @property {[number, number, number][]} [motion] accelerometer samples in g, oldest first
 * @property {Hops} [hops] when it passed where
 * @property {string} [last] of a pillow that went silent: its last state
 * @property {string} [since] of a pillow that went silent: RFC 3339, since when
 */
/**
 * When a state passed where, in Unix milliseconds.
 *
 * @typedef {object} Hops
 * @property {number} [queued] the queue took it; Azure tells whole seconds
 * @property {number} [polled] the poller received it
 * @property {number} [published] the poller gave it to the broker
 */
/** @typedef {"online" | "offline"} Broker */
/** @typedef {{type: "snapshot", cursor: string, recovered: boolean, broker: Broker, sent: number, pillows: Pillow[]}} SnapshotFrame */
/** @typedef {{type: "update", cursor: string, sent: number, pillows: Pillow[]}} UpdateFrame */
/** @typedef {{type: "removed", cursor: string, pillows: string[]}} RemovedFrame */
/** @typedef {{type: "status", broker: Broker}} StatusFrame */
/** @typedef {{type: "heartbeat", sent: number}} HeartbeatFrame */
/** @typedef {{type: "pong", sent: number, received: number}} PongFrame */
/** @typedef {{type: "goodbye", reconnect_ms: [number, number]}} GoodbyeFrame */
/** @typedef {{type: "error", code: number, message: string}} ErrorFrame */
/** @typedef {SnapshotFrame | UpdateFrame | RemovedFrame | StatusFrame | HeartbeatFrame | PongFrame | GoodbyeFrame | ErrorFrame | {type: "unknown"}} Frame */
/** A frame that breaks the contract; the message names the frame's type and the field. */
export declare class FrameError extends Error {
    /** @param {string} message */
    constructor(message: string);
}
/**
 * Whether a value can name a pillow; `bridge` is taken by the services' own topics.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
export declare function isPillowId(value: unknown): value is string;
export type Check = (value: any) => boolean;
/**
 * The frame in a WebSocket message.
 *
 * @param {unknown} text
 * @returns {Frame} the frame as it came, or `{type: "unknown"}`
 * @throws {FrameError} when it is no frame at all, or one with a missing or wrong field
 */
export declare function parseFrame(text: unknown): Frame;
