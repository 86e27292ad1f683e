import assert from "node:assert/strict";
import { test } from "node:test";

import { fetchHistory } from "../../services/gateway/src/gateway/static/page/history.js";

const ADDRESS = new URL("https://pillows.example/api/pillows/cloud-1/history");
const STATES = [{ pillow: "cloud-1", state: "hugging" }];

/** Fetch from a gateway with these responses: the states, the delays between requests, and the unused responses. */
async function fetchWith(...responses) {
  const stop = new AbortController();
  const waits = [];
  const states = await fetchHistory(ADDRESS, stop.signal, {
    request: async (_address, { signal }) => responses.shift()({ stop, signal }),
    sleep: async (ms) => { waits.push(ms); },
    random: () => 0.5,
  });
  return { states, waits, left: responses.length };
}

const found = () => Response.json({ states: STATES });

test("a successful response is the result", async () => {
  assert.deepEqual(await fetchWith(found), { states: STATES, waits: [], left: 0 });
});

test("pages are put together, each from where the one before says", async () => {
  const addresses = [];
  const request = async (address) => {
    addresses.push(address.href);
    return Response.json(addresses.length < 3 ? { states: [addresses.length], next: `?page=${addresses.length}` } : { states: [3] });
  };
  const states = await fetchHistory(new URL("?from=2026", ADDRESS), new AbortController().signal, { request });
  assert.deepEqual(states, [1, 2, 3]);
  assert.deepEqual(addresses, [`${ADDRESS}?from=2026`, `${ADDRESS}?page=1`, `${ADDRESS}?page=2`]);
});

test("a failed request is repeated with a growing delay", async () => {
  const failures = [
    () => { throw new TypeError("Failed to fetch"); },
    () => new Response("busy", { status: 503 }),
    () => new Response("<html>"),
    () => { throw new TypeError("network error"); },
  ];
  assert.deepEqual(await fetchWith(...failures, found), { states: STATES, waits: [750, 1000, 1500, 2500], left: 0 });
});

test("an unknown pillow has no history, and is not requested again", async () => {
  assert.deepEqual(await fetchWith(() => new Response("", { status: 404 })), { states: [], waits: [], left: 0 });
});

test("an abort ends requests and delays", async () => {
  const ended = await fetchWith(({ stop }) => { stop.abort(); throw stop.signal.reason; }, found);
  assert.deepEqual([ended.states, ended.left], [[], 1]);

  const stop = new AbortController();
  const result = fetchHistory(ADDRESS, stop.signal, { request: async () => new Response("", { status: 500 }) });
  setImmediate(() => stop.abort());
  assert.deepEqual(await result, []);
});
