import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameError, isPillowId, parseFrame } from "../../services/gateway/src/gateway/static/client/frames.js";
import { seeded } from "./fakes.js";

const pillow = { pillow: "cloud-1", state: "hugging", at: "2026-11-22T06:00:00.123Z", seq: 7 };
const GOOD = {
  snapshot: {
    type: "snapshot",
    cursor: "k3f9:118",
    recovered: false,
    broker: "online",
    sent: 1763791200123,
    pillows: [pillow],
  },
  update: { type: "update", cursor: "k3f9:121", sent: 1763791200456, pillows: [pillow] },
  removed: { type: "removed", cursor: "k3f9:122", pillows: ["cloud-9"] },
  status: { type: "status", broker: "offline" },
  heartbeat: { type: "heartbeat", sent: 1763791220000 },
  pong: { type: "pong", sent: 1, received: 2 },
  goodbye: { type: "goodbye", reconnect_ms: [200, 5000] },
  error: { type: "error", code: 4400, message: "no such type" },
};

const parse = (value) => parseFrame(JSON.stringify(value));

for (const [type, frame] of Object.entries(GOOD)) {
  test(`a ${type} frame is returned unchanged`, () => {
    assert.deepEqual(parse(frame), frame);
    assert.deepEqual(parse({ ...frame, later: { any: 1 } }), { ...frame, later: { any: 1 } });
  });

  for (const field of Object.keys(frame).filter((name) => name !== "type")) {
    test(`a ${type} frame without or with a wrong ${field} is refused and the field named`, () => {
      const { [field]: _, ...rest } = frame;
      const refusal = (error) => error instanceof FrameError && error.message.includes(`${type}.${field}`);
      assert.throws(() => parse(rest), refusal);
      const wrongs = [null, {}, [[]], -1, ...(field === "message" ? [] : [""])];
      for (const wrong of wrongs) assert.throws(() => parse({ ...frame, [field]: wrong }), refusal);
    });
  }
}

test("a frame of an unknown type is no error", () => {
  assert.deepEqual(parse({ type: "weather", sky: "blue" }), { type: "unknown" });
  assert.deepEqual(parse({ type: "constructor" }), { type: "unknown" });
});

test("text that is not a frame is refused", () => {
  for (const text of ["", "{", "null", "1", "[]", '"snapshot"', "{}", '{"type":7}', '{"type":null}']) {
    assert.throws(() => parseFrame(text), FrameError, text);
  }
  assert.throws(() => parseFrame(new ArrayBuffer(4)), FrameError);
});

test("a pillow needs an id and a state, and may have any other field", () => {
  const update = (one) => parse({ ...GOOD.update, pillows: [one] });
  update({ pillow: "a", state: "a state of tomorrow", motion: [[0, 0, 1]], mood: null });
  for (const wrong of [
    { state: "hugging" },
    { pillow: "cloud-1" },
    { pillow: "cloud-1", state: 3 },
    { pillow: "cloud-1", state: "" },
    { pillow: "Cloud", state: "hugging" },
    { pillow: "-cloud", state: "hugging" },
    { pillow: "bridge", state: "hugging" },
    { pillow: "a".repeat(64), state: "hugging" },
    { pillow: "cloud\n", state: "hugging" },
    null,
    "cloud-1",
  ]) {
    assert.throws(() => update(wrong), FrameError, JSON.stringify(wrong));
  }
});

test("the window of a goodbye has two ends in order", () => {
  for (const wrong of [[5000, 200], [1], [1, 2, 3], [-1, 5], ["1", "2"]]) {
    assert.throws(() => parse({ type: "goodbye", reconnect_ms: wrong }), FrameError);
  }
});

test("any text is a frame or a FrameError, never another exception", () => {
  const random = seeded(3);
  const whole = Object.values(GOOD).map((frame) => JSON.stringify(frame));
  for (let turn = 0; turn < 3_000; turn += 1) {
    const letters = [...whole[Math.floor(random() * whole.length)]];
    for (let cut = 0; cut < 3; cut += 1) {
      const place = Math.floor(random() * letters.length);
      letters.splice(place, Math.floor(random() * 4), String.fromCharCode(32 + Math.floor(random() * 95)));
    }
    try {
      assert.equal(typeof parseFrame(letters.join("")).type, "string");
    } catch (error) {
      assert.ok(error instanceof FrameError, error.stack);
    }
  }
});

test("a pillow id is what the contract says", () => {
  for (const id of ["a", "0", "cloud-1", "a".repeat(63)]) assert.ok(isPillowId(id), id);
  for (const id of ["", "A", "-a", "a_b", "a/b", "bridge", 7, undefined]) assert.ok(!isPillowId(id), String(id));
});
