/**
 * The gateway's frames: text in, checked object out.
 *
 * Lives here: what a frame must look like.  Not here: what a frame does (store.js) and where
 * it came from (connection.js).  A type not known here is no error: a newer gateway may say
 * more than this page understands.
 */

/** A frame that breaks the contract; the message names the frame's type and the field. */
export class FrameError extends Error {
  constructor(message) {
    super(message);
    this.name = "FrameError";
  }
}

const PILLOW_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const CURSOR = /^[^\s:]+:\d+$/;

/** Whether a value can name a pillow; `bridge` is taken by the services' own topics. */
export function isPillowId(value) {
  return typeof value === "string" && PILLOW_ID.test(value) && value !== "bridge";
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isTime = (value) => Number.isFinite(value) && value >= 0;
const isBroker = (value) => value === "online" || value === "offline";
const isCursor = (value) => typeof value === "string" && CURSOR.test(value);
const isString = (value) => typeof value === "string";
const isCloseCode = (value) => Number.isInteger(value) && value >= 1000 && value <= 4999;
const isBoolean = (value) => typeof value === "boolean";
const isPillow = (value) =>
  isObject(value) && isPillowId(value.pillow) && isString(value.state) && value.state !== "";
const isPillowList = (value) => Array.isArray(value) && value.every(isPillow);
const isIdList = (value) => Array.isArray(value) && value.every(isPillowId);
const isWindow = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(isTime) && value[0] <= value[1];

const FIELDS = new Map(
  Object.entries({
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
  }),
);

/**
 * The frame in a WebSocket message.
 *
 * @param {string} text
 * @returns {{type: string}} the frame as it came, or `{type: "unknown"}`
 * @throws {FrameError} when it is no frame at all, or one with a missing or wrong field
 */
export function parseFrame(text) {
  const frame = parseObject(text);
  if (!isString(frame.type)) throw new FrameError("a frame has no type");
  const fields = FIELDS.get(frame.type);
  if (fields === undefined) return { type: "unknown" };
  for (const [field, isValid] of Object.entries(fields)) {
    if (!isValid(frame[field])) {
      throw new FrameError(`${frame.type}.${field} is ${brief(frame[field])}`);
    }
  }
  return frame;
}

function parseObject(text) {
  if (!isString(text)) throw new FrameError("a frame is not text");
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameError(`not JSON: ${text.slice(0, 60)}`);
  }
  if (!isObject(value)) throw new FrameError(`not an object: ${text.slice(0, 60)}`);
  return value;
}

function brief(value) {
  return value === undefined ? "missing" : `wrong: ${JSON.stringify(value).slice(0, 60)}`;
}
