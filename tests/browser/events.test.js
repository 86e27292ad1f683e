import assert from "node:assert/strict";
import { test } from "node:test";

import { EventParser, EventStream } from "../../services/gateway/src/gateway/static/client/events.js";
import { seeded } from "./fakes.js";

test("events are the same, however the stream is cut", () => {
  const stream = 'retry: 900\n\nid: e:1\ndata: {"type":"a"}\n\n: a comment\r\ndata:two\r\ndata: lines\r\n\r\ndata: unfinished';
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const parser = new EventParser();
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

function streamOf(answer) {
  const told = [];
  const stream = new EventStream("wss://pillows.example/behind/ws?pillow=ws", async (url, how) => {
    told.push(["asked", url, how.headers.Accept]);
    return answer();
  });
  stream.onopen = () => told.push(["open"]);
  stream.onmessage = ({ data }) => told.push(["data", data]);
  return new Promise((resolve) => {
    stream.onclose = ({ code, reason }) => resolve([...told, ["closed", code, reason]]);
  });
}

test("it asks beside the WebSocket, hands on the data, and says when the stream ends", async () => {
  const told = await streamOf(() => new Response(encoded("data: o", "ne\n\n")));
  assert.deepEqual(told, [
    ["asked", "https://pillows.example/behind/events?pillow=ws", "text/event-stream"],
    ["open"],
    ["data", "one"],
    ["closed", 1006, "the stream ended"],
  ]);
});

for (const [status, code] of [[400, 4400], [401, 4401], [403, 4403], [429, 4429], [503, 1013], [502, 1006]]) {
  test(`HTTP ${status} is close code ${code}, with the reason of its problem document`, async () => {
    const told = await streamOf(() => Response.json({ title: "no", detail: "not you" }, { status }));
    assert.deepEqual(told.at(-1), ["closed", code, "no: not you"]);
  });
}

test("an answer that is none, and one without a reason", async () => {
  const failed = await streamOf(() => { throw new TypeError("fetch failed"); });
  assert.deepEqual(failed.at(-1), ["closed", 1006, "fetch failed"]);
  for (const cause of [new Error("connect ECONNREFUSED ::1:8080"), { message: "", code: "ECONNREFUSED" }]) {
    const [, , reason] = (await streamOf(() => { throw new TypeError("fetch failed", { cause }); })).at(-1);
    assert.match(reason, /^fetch failed: .*ECONNREFUSED/);
  }
  assert.deepEqual((await streamOf(() => new Response("", { status: 403 }))).at(-1), ["closed", 4403, "HTTP 403"]);
});

test("what was closed says nothing more", async () => {
  const { promise, resolve } = { ...withResolvers() };
  const stream = new EventStream("ws://x/ws", (_url, { signal }) => new Promise((_done, fail) => {
    signal.addEventListener("abort", () => { fail(signal.reason); setTimeout(resolve, 5); });
  }));
  let said = 0;
  stream.onclose = () => { said += 1; };
  await Promise.resolve();
  stream.close();
  await promise;
  assert.equal(said, 0);
});

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}
