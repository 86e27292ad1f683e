import assert from "node:assert/strict";
import { test } from "node:test";

import { Updates, WAITING } from "../../services/gateway/src/gateway/static/client/updates.js";

const update = (id, n, previous) => ({ id, pillow: { pillow: id, n }, previous });
const read = async (updates) => (await updates.next()).value?.pillow.n;

test("who reads on gets every update, whether it waits or they do", async () => {
  const updates = new Updates();
  updates.push(update("a", 1));
  updates.push(update("a", 2));
  assert.equal(await read(updates), 1);
  assert.equal(await read(updates), 2);
  const waiting = read(updates);
  updates.push(update("a", 3));
  assert.equal(await waiting, 3);
});

test("who does not gets the newest of each pillow, in bounded memory", async () => {
  const updates = new Updates();
  const last = 10 * WAITING;
  for (let n = 0; n <= last; n += 1) updates.push(update(`p${n % 7}`, n, n < 7 ? undefined : { n: n - 7 }));
  updates.end();
  const seen = [];
  for await (const { id, pillow, previous } of updates) seen.push([id, pillow.n, previous?.n]);
  assert.ok(seen.length <= WAITING);
  const newest = new Map(seen.map(([id, n]) => [id, n]));
  for (let n = last - 6; n <= last; n += 1) assert.equal(newest.get(`p${n % 7}`), n);
  // Each says what this reader last saw of it.
  const before = new Map();
  for (const [id, n, previous] of seen) {
    assert.equal(previous, before.get(id));
    before.set(id, n);
  }
});

test("it ends once, for all that wait, after what waits was read", async () => {
  const ended = [];
  const updates = new Updates((one) => ended.push(one));
  updates.push(update("a", 1));
  updates.end();
  updates.end();
  updates.push(update("a", 2));
  assert.deepEqual(ended, [updates]);
  assert.equal(await read(updates), 1);
  assert.deepEqual(await updates.next(), { value: undefined, done: true });
  const other = new Updates();
  const waiting = [other.next(), other.next()];
  other.end();
  assert.deepEqual((await Promise.all(waiting)).map(({ done }) => done), [true, true]);
});

test("a fault is thrown once", async () => {
  const waiting = new Updates();
  const next = waiting.next();
  waiting.end(new Error("refused"));
  await assert.rejects(next, /refused/);
  assert.equal((await waiting.next()).done, true);
  const later = new Updates();
  later.end(new Error("refused"));
  await assert.rejects(later.next(), /refused/);
  assert.equal((await later.next()).done, true);
});

test("a loop that is left is told of", async () => {
  const ended = [];
  const updates = new Updates(() => ended.push("ended"));
  updates.push(update("a", 1));
  for await (const _ of updates) break;
  assert.deepEqual(ended, ["ended"]);
});
