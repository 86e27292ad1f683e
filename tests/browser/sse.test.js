import assert from "node:assert/strict";
import { test } from "node:test";

import { SseParser, SseSocket } from "../../services/gateway/src/gateway/static/client/sse.js";
import { seeded } from "./fakes.js";

test("the events do not depend on where the stream is cut", () => {
  const stream = 'retry: 900\n\nid: e:1\ndata: {"type":"a"}\n\n: a comment\r\ndata:two\r\ndata: lines\r\n\r\ndata: unfinished';
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const parser = new SseParser();
    const events = [];
    for (let at = 0; at < stream.length; ) {
      const next = at + 1 + Math.floor(random() * 9);
      events.push(...parser.push(stream.slice(at, next)));
      at = next;
    }
    assert.deepEqual(events, ['{"type":"a"}', "two\nlines"]);
  }
});

const encoded = (...texts) => new ReadableStream({
  start(controller) {
    for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
    controller.close();
  },
});

function readStream(respond) {
  const events = [];
  const stream = new SseSocket("wss://pillows.example/behind/ws?pillow=ws", async (url, options) => {
    events.push(["requested", url, options.headers.Accept]);
    return respond();
  });
  stream.onopen = () => events.push(["open"]);
  stream.onmessage = ({ data }) => events.push(["data", data]);
  return new Promise((resolve) => {
    stream.onclose = ({ code, reason }) => resolve([...events, ["closed", code, reason]]);
  });
}

test("it requests the endpoint beside the WebSocket, passes the data on, and closes with the stream", async () => {
  const events = await readStream(() => new Response(encoded("data: o", "ne\n\n")));
  assert.deepEqual(events, [
    ["requested", "https://pillows.example/behind/events?pillow=ws", "text/event-stream"],
    ["open"],
    ["data", "one"],
    ["closed", 1006, "the stream ended"],
  ]);
});

for (const [status, code] of [[400, 4400], [401, 4401], [403, 4403], [429, 4429], [503, 1013], [502, 1006]]) {
  test(`HTTP ${status} becomes close code ${code} with the reason of the problem document`, async () => {
    const events = await readStream(() => Response.json({ title: "no", detail: "not you" }, { status }));
    assert.deepEqual(events.at(-1), ["closed", code, "no: not you"]);
  });
}

test("a failed request closes with the error and its cause; a response without a reason, with its status", async () => {
  const failed = await readStream(() => { throw new TypeError("fetch failed"); });
  assert.deepEqual(failed.at(-1), ["closed", 1006, "fetch failed"]);
  for (const cause of [new Error("connect ECONNREFUSED ::1:8080"), { message: "", code: "ECONNREFUSED" }]) {
    const [, , reason] = (await readStream(() => { throw new TypeError("fetch failed", { cause }); })).at(-1);
    assert.match(reason, /^fetch failed: .*ECONNREFUSED/);
  }
  assert.deepEqual((await readStream(() => new Response("", { status: 403 }))).at(-1), ["closed", 4403, "HTTP 403"]);
});

test("a closed stream fires no event", async () => {
  const { promise, resolve } = { ...withResolvers() };
  const stream = new SseSocket("ws://x/ws", (_url, { signal }) => new Promise((_done, fail) => {
    signal.addEventListener("abort", () => { fail(signal.reason); setTimeout(resolve, 5); });
  }));
  let closes = 0;
  stream.onclose = () => { closes += 1; };
  await Promise.resolve();
  stream.close();
  await promise;
  assert.equal(closes, 0);
});

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}
