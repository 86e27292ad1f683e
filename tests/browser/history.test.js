import assert from "node:assert/strict";
import { test } from "node:test";

import { historyOf } from "../../services/gateway/src/gateway/static/page/history.js";

const ADDRESS = new URL("https://pillows.example/api/pillows/cloud-1/history");
const STATES = [{ pillow: "cloud-1", state: "hugging" }];

/** Ask a gateway that answers so, one after the other; what came, and how long was waited between. */
async function ask(...answers) {
  const stop = new AbortController();
  const waits = [];
  const states = await historyOf(ADDRESS, stop.signal, {
    get: async (_address, { signal }) => answers.shift()({ stop, signal }),
    pause: async (ms) => { waits.push(ms); },
    random: () => 0.5,
  });
  return { states, waits, left: answers.length };
}

const told = () => Response.json({ states: STATES });

test("the states are here at the first answer", async () => {
  assert.deepEqual(await ask(told), { states: STATES, waits: [], left: 0 });
});

test("what fails is asked for again, ever more slowly", async () => {
  const failures = [
    () => { throw new TypeError("Failed to fetch"); },
    () => new Response("busy", { status: 503 }),
    () => new Response("<html>"),
    () => { throw new TypeError("network error"); },
  ];
  assert.deepEqual(await ask(...failures, told), { states: STATES, waits: [750, 1000, 1500, 2500], left: 0 });
});

test("a pillow that is no more has no history, and is not asked for again", async () => {
  assert.deepEqual(await ask(() => new Response("", { status: 404 })), { states: [], waits: [], left: 0 });
});

test("who looks away ends the asking, also in the midst of a wait", async () => {
  const ended = await ask(({ stop }) => { stop.abort(); throw stop.signal.reason; }, told);
  assert.deepEqual([ended.states, ended.left], [[], 1]);

  const stop = new AbortController();
  const asked = historyOf(ADDRESS, stop.signal, { get: async () => new Response("", { status: 500 }) });
  setImmediate(() => stop.abort());
  assert.deepEqual(await asked, []);
});
