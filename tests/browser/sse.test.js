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

const EVENTS = { "Content-Type": "text/event-stream; charset=utf-8" };

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
  const events = await readStream(() => new Response(encoded("data: o", "ne\n\n"), { headers: EVENTS }));
  assert.deepEqual(events, [
    ["requested", "https://pillows.example/behind/events?pillow=ws", "text/event-stream"],
    ["open"],
    ["data", "one"],
    ["closed", 1006, "the stream ended"],
  ]);
});

const problem = (status, more = {}, headers = { "Content-Type": "application/problem+json" }) =>
  new Response(JSON.stringify({ type: "about:blank", title: "no", status, detail: "not you", ...more }), { status, headers });

for (const [status, code] of [[400, 4400], [401, 4401], [403, 4403], [421, 4403], [429, 4429], [503, 1013], [502, 1006]]) {
  test(`HTTP ${status} with the gateway's problem document becomes close code ${code} with its reason`, async () => {
    assert.deepEqual((await readStream(() => problem(status))).at(-1), ["closed", code, "no: not you"]);
  });
}

for (const [asked, ms] of [["7", 7_000], ["0", 0], ["", 0], ["soon", NaN], ["Wed, 21 Oct 2026 07:28:00 GMT", NaN]]) {
  test(`Retry-After: ${asked || "nothing"} is passed on`, async () => {
    const stream = new SseSocket("wss://pillows.example/ws", async () =>
      problem(429, {}, { "Content-Type": "application/problem+json", ...(asked && { "Retry-After": asked }) }));
    const { code, retryMs } = await new Promise((resolve) => {
      stream.onclose = resolve;
    });
    assert.deepEqual([code, retryMs], [4429, ms]);
  });
}

test("a refusal that is not the gateway's own problem document is an outage with its status", async () => {
  for (const status of [400, 401, 402, 403, 404, 407, 451, 500, 502]) {
    for (const response of [
      () => new Response("<h1>no</h1>", { status, headers: { "Content-Type": "text/html" } }),
      () => new Response("", { status }),
      () => problem(status, {}, { "Content-Type": "application/json" }),
      () => problem(status, { type: "https://waf.example/blocked" }),
      () => problem(status, { status: 418 }),
      () => problem(status, { instance: "/events" }),
      () => new Response("{nonsense", { status, headers: { "Content-Type": "application/problem+json" } }),
    ]) {
      assert.deepEqual((await readStream(response)).at(-1), ["closed", 1006, `HTTP ${status}, not from the gateway`]);
    }
  }
});

test("a success that is no stream of events is never open, and a web page is told as such", async () => {
  for (const [headers, reason] of [
    [{ "Content-Type": "text/html; charset=utf-8" }, /a web page \(200 text\/html\) came instead of events: a proxy may ask to sign in/],
    [{ "Content-Type": "application/json" }, /application\/json came instead of events/],
    [{ "Content-Type": "" }, /a response without a type came instead/],
  ]) {
    const events = await readStream(() => new Response("data: please sign in\n\n", { headers }));
    assert.deepEqual(events.map(([what]) => what), ["requested", "closed"]);
    assert.match(events.at(-1)[2], reason);
  }
});

test("an address that is too long for a server has a reason that says so", async () => {
  for (const status of [414, 431]) {
    const events = await readStream(() => new Response("", { status }));
    assert.match(events.at(-1)[2], new RegExp(`HTTP ${status}: the address has \\d+ characters; name fewer pillows`));
  }
});

test("a failed request closes with the error and its cause", async () => {
  const failed = await readStream(() => { throw new TypeError("fetch failed"); });
  assert.deepEqual(failed.at(-1), ["closed", 1006, "fetch failed"]);
  for (const cause of [new Error("connect ECONNREFUSED ::1:8080"), { message: "", code: "ECONNREFUSED" }]) {
    const [, , reason] = (await readStream(() => { throw new TypeError("fetch failed", { cause }); })).at(-1);
    assert.match(reason, /^fetch failed: .*ECONNREFUSED/);
  }
});

test("localhost that is refused over IPv6 is requested over IPv4, as Node.js 18 does not by itself", async () => {
  const requested = [];
  const stream = new SseSocket("ws://localhost:8080/ws?pillow=a", async (url) => {
    requested.push(url);
    if (requested.length === 1) throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED", address: "::1" } });
    return new Response(encoded("data: one\n\n"), { headers: EVENTS });
  });
  await new Promise((resolve) => { stream.onclose = resolve; });
  assert.deepEqual(requested, ["http://localhost:8080/events?pillow=a", "http://127.0.0.1:8080/events?pillow=a"]);
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
