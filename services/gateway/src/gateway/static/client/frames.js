/**
 * Parses and validates the gateway's frames. store.js applies them.
 *
 * A frame of an unknown type is no error, because a newer gateway may send more types.
 */

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
export class FrameError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "FrameError";
  }
}

const PILLOW_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const CURSOR = /^[^\s:]+:\d+$/;

/**
 * Whether a value is a valid pillow id. `bridge` is not, because it is the topic of the services.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
export function isPillowId(value) {
  return typeof value === "string" && PILLOW_ID.test(value) && value !== "bridge";
}

/** A check of parsed JSON, which can be anything. @typedef {(value: any) => boolean} Check */

/** @type {Check} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @type {Check} */
const isTime = (value) => Number.isFinite(value) && value >= 0;
/** @type {Check} */
const isBroker = (value) => value === "online" || value === "offline";
/** @type {Check} */
const isString = (value) => typeof value === "string";
/** @type {Check} */
const isCursor = (value) => isString(value) && CURSOR.test(value);
/** @type {Check} */
const isCloseCode = (value) => Number.isInteger(value) && value >= 1000 && value <= 4999;
/** @type {Check} */
const isBoolean = (value) => typeof value === "boolean";
/** @type {Check} */
const isNumber = (value) => Number.isFinite(value);
/** @type {Check} */
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
/** @type {Check} */
const isPillow = (value) =>
  isObject(value) && isPillowId(value.pillow) && isString(value.state) && value.state !== "";
/** @type {Check} */
const isPillowList = (value) => Array.isArray(value) && value.every(isPillow);
/** @type {Check} */
const isIdList = (value) => Array.isArray(value) && value.every(isPillowId);
/** @type {Check} */
const isMotionList = (value) =>
  Array.isArray(value) && value.every((one) => isObject(one) && isPillowId(one.pillow) && isString(one.at) && Array.isArray(one.motion));
/** @type {Check} */
const isWindow = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(isTime) && value[0] <= value[1];

/** The fields that a frame must have. @type {Record<string, Record<string, Check>>} */
const FIELDS = {
  snapshot: {
    cursor: isCursor,
    recovered: isBoolean,
    broker: isBroker,
    sent: isTime,
    pillows: isPillowList,
  },
  update: { cursor: isCursor, sent: isTime, pillows: isPillowList },
  removed: { cursor: isCursor, pillows: isIdList },
  status: { broker: isBroker },
  heartbeat: { sent: isTime },
  pong: { sent: isTime, received: isTime },
  goodbye: { reconnect_ms: isWindow },
  error: { code: isCloseCode, message: isString },
  motion: { pillows: isMotionList },
};
/** The fields that a frame may have. @type {Record<string, Record<string, Check>>} */
const OPTIONAL_FIELDS = {
  snapshot: { more: isBoolean, continued: isBoolean, retained: isBoolean, watching: isCount, queue_offset: isNumber, shown: isNumber, motion: (value) => value === "none" },
  status: { retained: isBoolean },
  heartbeat: { queue_offset: isNumber, watching: isCount },
  pong: { queue_offset: isNumber },
};

/**
 * Parse a message.
 *
 * @param {unknown} text
 * @param {(error: FrameError, id: string) => void} [onInvalid] receives each invalid pillow, which is left out
 *   so that it does not hide the others; without it the frame is invalid
 * @returns {Frame} the frame; `{type: "unknown"}` for an unknown type
 * @throws {FrameError} if it is not a frame, or a field is missing or invalid
 */
export function parseFrame(text, onInvalid) {
  const frame = parseObject(text);
  if (!isString(frame.type)) throw new FrameError("a frame has no type");
  const fields = Object.hasOwn(FIELDS, frame.type) ? FIELDS[frame.type] : undefined;
  if (fields === undefined) return { type: "unknown" };
  if (onInvalid !== undefined && fields.pillows === isPillowList && Array.isArray(frame.pillows)) {
    frame.pillows = frame.pillows.filter((/** @type {any} */ value, /** @type {number} */ index) => {
      if (isPillow(value)) return true;
      onInvalid(new FrameError(`${frame.type}.pillows[${index}] is ${describe(value)}`), String(value?.pillow).slice(0, 63));
      return false;
    });
  }
  for (const [field, isValid] of Object.entries(fields)) {
    if (!isValid(frame[field])) {
      throw new FrameError(`${frame.type}.${field} is ${describe(frame[field])}`);
    }
  }
  for (const [field, isValid] of Object.entries(OPTIONAL_FIELDS[frame.type] ?? {})) {
    if (frame[field] != null && !isValid(frame[field])) {
      throw new FrameError(`${frame.type}.${field} is ${describe(frame[field])}`);
    }
  }
  return /** @type {Frame} */ (frame);
}

/**
 * @param {unknown} text
 * @returns {any} parsed JSON
 */
function parseObject(text) {
  if (typeof text !== "string") throw new FrameError("a frame is not text");
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameError(`not JSON: ${text.slice(0, 60)}`);
  }
  if (!isObject(value)) throw new FrameError(`not an object: ${text.slice(0, 60)}`);
  return value;
}

/** @param {unknown} value */
function describe(value) {
  return value === undefined ? "missing" : `wrong: ${JSON.stringify(value).slice(0, 60)}`;
}
