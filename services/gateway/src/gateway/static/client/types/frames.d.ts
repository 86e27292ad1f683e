/**
 * Parses and validates the gateway's frames. store.js applies them.
 *
 * A frame of an unknown type is no error, because a newer gateway may send more types.
 */
export type State = "neutral" | "hugging" | "punching" | "shaking" | "spinning" | "throwing" | "notconnected";
export type Pillow = {
    /**
     * its id
     */
    pillow: string;
    /**
     * what is done to it, or `notconnected` if it is silent
     */
    state: State;
    /**
     * RFC 3339: when the state was true
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
     * timestamps of the stages that it passed
     */
    hops?: Hops;
    /**
     * of a silent pillow: its last state
     */
    last?: State;
    /**
     * of a silent pillow: RFC 3339, since when it is silent
     */
    since?: string;
    /**
     * W3C trace context of the span that sent it
     */
    traceparent?: string;
    /**
     * what people call it
     */
    label?: string;
    /**
     * if the pillow's clock is wrong by minutes or more
     */
    clock?: "ahead" | "behind";
};
export type Hops = {
    /**
     * inserted into the queue; Azure gives whole seconds
     */
    queued?: number;
    /**
     * received by the poller
     */
    polled?: number;
    /**
     * published to the broker by the poller
     */
    published?: number;
};
export type Broker = "online" | "offline";
export type Timed = {
    sent: number;
    queue_offset?: number;
};
export type Counted = {
    watching?: number;
};
export type BrokerState = {
    broker: Broker;
    retained?: boolean;
};
export type SnapshotFrame = {
    type: "snapshot";
    cursor: string;
    recovered: boolean;
    more?: boolean;
    continued?: boolean;
    shown?: number;
    motion?: "none";
    pillows: Pillow[];
} & BrokerState & Timed & Counted;
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
} & BrokerState;
export type HeartbeatFrame = {
    type: "heartbeat";
} & Timed & Counted;
export type PongFrame = {
    type: "pong";
    received: number;
} & Timed;
export type Samples = Required<Pick<Pillow, "pillow" | "at" | "motion">> & {
    seq?: number;
};
export type MotionFrame = {
    type: "motion";
    pillows: Samples[];
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
export type Frame = SnapshotFrame | UpdateFrame | RemovedFrame | StatusFrame | HeartbeatFrame | PongFrame | GoodbyeFrame | ErrorFrame | MotionFrame | {
    type: "unknown";
};
/** A newer gateway may have more states: keep a default. @typedef {"neutral" | "hugging" | "punching" | "shaking" | "spinning" | "throwing" | "notconnected"} State */
/**
 * The state of a pillow, as it was published on MQTT.
 *
 * @typedef {object} Pillow
 * @property {string} pillow its id
 * @property {State} state what is done to it, or `notconnected` if it is silent
 * @property {string} at RFC 3339: when the state was true
 * @property {number} [seq] orders states of equal `at`
 * @property {number} [confidence] 0..1
 * @property {number} [battery] 0..1
 * @property {[number, number, number][]} [motion] accelerometer samples in g, oldest first
 * @property {Hops} [hops] timestamps of the stages that it passed
 * @property {State} [last] of a silent pillow: its last state
 * @property {string} [since] of a silent pillow: RFC 3339, since when it is silent
 * @property {string} [traceparent] W3C trace context of the span that sent it
 * @property {string} [label] what people call it
 * @property {"ahead" | "behind"} [clock] if the pillow's clock is wrong by minutes or more
 */
/**
 * Timestamps of the stages that a state passed, in Unix milliseconds on the queue's clock.
 *
 * @typedef {object} Hops
 * @property {number} [queued] inserted into the queue; Azure gives whole seconds
 * @property {number} [polled] received by the poller
 * @property {number} [published] published to the broker by the poller
 */
/** @typedef {"online" | "offline"} Broker */
/**
 * `queue_offset`: ms to add to `sent` for the queue's time; absent if the gateway does not know it.
 *
 * @typedef {{sent: number, queue_offset?: number}} Timed
 */
/** `watching`: how many clients the gateway has; absent from older ones. @typedef {{watching?: number}} Counted */
/** `retained`: false if the broker does not deliver the states that it retains. @typedef {{broker: Broker, retained?: boolean}} BrokerState */
/**
 * A large snapshot is several frames. `more`: it continues in the next one; `continued`: it continues the
 * one before. `shown`: the share of clients that are asked to report when they showed a state. `motion`: its
 * states, and those that follow, have none.
 *
 * @typedef {{type: "snapshot", cursor: string, recovered: boolean, more?: boolean, continued?: boolean, shown?: number, motion?: "none", pillows: Pillow[]} & BrokerState & Timed & Counted} SnapshotFrame
 */
/** @typedef {{type: "update", cursor: string, sent: number, pillows: Pillow[]}} UpdateFrame */
/** @typedef {{type: "removed", cursor: string, pillows: string[]}} RemovedFrame */
/** @typedef {{type: "status"} & BrokerState} StatusFrame */
/** @typedef {{type: "heartbeat"} & Timed & Counted} HeartbeatFrame */
/** @typedef {{type: "pong", received: number} & Timed} PongFrame */
/** Samples of the state with this `at` and `seq`. @typedef {Required<Pick<Pillow, "pillow" | "at" | "motion">> & {seq?: number}} Samples */
/** @typedef {{type: "motion", pillows: Samples[]}} MotionFrame */
/** @typedef {{type: "goodbye", reconnect_ms: [number, number]}} GoodbyeFrame */
/** @typedef {{type: "error", code: number, message: string}} ErrorFrame */
/** @typedef {SnapshotFrame | UpdateFrame | RemovedFrame | StatusFrame | HeartbeatFrame | PongFrame | GoodbyeFrame | ErrorFrame | MotionFrame | {type: "unknown"}} Frame */
/** A frame is invalid; the message names its type and the field. */
export declare class FrameError extends Error {
    /** @param {string} message */
    constructor(message: string);
}
/**
 * Whether a value is a valid pillow id. `bridge` is not, because it is the topic of the services.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
export declare function isPillowId(value: unknown): value is string;
export type Check = (value: any) => boolean;
/**
 * Parse a message.
 *
 * @param {unknown} text
 * @param {(error: FrameError, id: string) => void} [onInvalid] receives each invalid pillow, which is left out
 *   so that it does not hide the others; without it the frame is invalid
 * @returns {Frame} the frame; `{type: "unknown"}` for an unknown type
 * @throws {FrameError} if it is not a frame, or a field is missing or invalid
 */
export declare function parseFrame(text: unknown, onInvalid?: (error: FrameError, id: string) => void): Frame;
