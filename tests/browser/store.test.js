import assert from "node:assert/strict";
import { test } from "node:test";

import { instant, isOlder, Store } from "../../services/gateway/src/gateway/static/client/store.js";
import { seeded } from "./fakes.js";

const T0 = Date.parse("2026-11-22T06:00:00Z");
const state = (pillow, ms, more = {}) => ({ pillow, state: "hugging", at: new Date(T0 + ms).toISOString(), ...more });
const snapshot = (pillows, more = {}) => ({
  type: "snapshot", cursor: "e:1", recovered: false, broker: "online", sent: T0 + 60_000, pillows, ...more,
});
const changedOf = (updates) => updates.filter(({ pillow }) => pillow !== null).map(({ id }) => id);
const removedOf = (updates) => updates.filter(({ pillow }) => pillow === null).map(({ id }) => id);
const update = (pillows, more = {}) => ({ type: "update", cursor: "e:2", sent: T0 + 60_000, pillows, ...more });

test("a snapshot that is not recovered replaces all states", () => {
  const store = new Store();
  store.apply(snapshot([state("a", 9_000), state("b", 1)]));
  const updates = store.apply(snapshot([state("a", 5_000)], { cursor: "f:1" }));
  assert.deepEqual([...store.pillows.keys()], ["a"]);
  assert.equal(store.pillows.get("a").at, state("a", 5_000).at);
  assert.deepEqual(changedOf(updates), ["a"]);
  assert.deepEqual(removedOf(updates), ["b"]);
  assert.equal(store.sign("b"), undefined);
  assert.equal(store.cursor, "f:1");
});

test("a recovered snapshot is merged", () => {
  const store = new Store();
  store.apply(snapshot([state("a", 1), state("b", 1)]));
  const updates = store.apply(snapshot([state("b", 2)], { recovered: true }));
  assert.deepEqual([...store.pillows.keys()], ["a", "b"]);
  assert.deepEqual([changedOf(updates), removedOf(updates)], [["b"], []]);
});

test("an older state is ignored", () => {
  const store = new Store();
  store.apply(snapshot([state("a", 5, { seq: 3 })]));
  assert.deepEqual(changedOf(store.apply(update([state("a", 4, { seq: 9 })]))), []);
  assert.deepEqual(changedOf(store.apply(update([state("a", 5, { seq: 2 })]))), []);
  assert.equal(store.pillows.get("a").seq, 3);
});

test("notconnected replaces the last state, whose time it has", () => {
  const store = new Store();
  store.apply(snapshot([state("a", 5, { seq: 3 })]));
  const notice = state("a", 5, { seq: 3, state: "notconnected", last: "hugging" });
  assert.deepEqual(changedOf(store.apply(update([notice]))), ["a"]);
  assert.equal(store.pillows.get("a").state, "notconnected");
});

test("each update has the previous state, also if a pillow occurs twice in a frame", () => {
  const store = new Store();
  store.apply(snapshot([state("a", 1)]));
  const [first, second] = store.apply(update([state("a", 2), state("a", 3, { state: "punching" })]));
  assert.deepEqual([first.previous.state, first.pillow.state], ["hugging", "hugging"]);
  assert.deepEqual([second.previous, second.pillow.state], [first.pillow, "punching"]);
  const [gone] = store.apply({ type: "removed", cursor: "e:3", pillows: ["a"] });
  assert.deepEqual(gone, { id: "a", pillow: null, previous: second.pillow, cursor: "e:3" });
});

test("within a frame the cursor is that before it, so that a reader resumes with the whole frame", () => {
  const store = new Store();
  const cursors = (frame) => store.apply(frame).map(({ cursor }) => cursor);
  assert.deepEqual(cursors(snapshot([state("a", 1), state("b", 1)])), [null, "e:1"]);
  assert.deepEqual(cursors(update([state("a", 2), state("b", 2), state("a", 3)])), ["e:1", "e:1", "e:2"]);
  assert.deepEqual(cursors({ type: "removed", cursor: "e:3", pillows: ["b"] }), ["e:3"]);
});

test("a store with another client's cursor reports removals of unknown pillows", () => {
  const store = new Store("e:1");
  assert.equal(store.cursor, "e:1");
  store.apply({ ...snapshot([state("a", 2)]), recovered: true });
  assert.deepEqual(removedOf(store.apply({ type: "removed", cursor: "e:3", pillows: ["gone"] })), ["gone"]);
  store.apply(snapshot([]));
  assert.deepEqual(store.apply({ type: "removed", cursor: "e:4", pillows: ["gone"] }), []);
});

test("a removal of a known pillow is an update, of an unknown one not", () => {
  const store = new Store();
  store.apply(snapshot([state("a", 1)]));
  const removed = removedOf(store.apply({ type: "removed", cursor: "e:3", pillows: ["a", "zzz"] }));
  assert.deepEqual(removed, ["a"]);
  assert.equal(store.pillows.size, 0);
  assert.equal(store.cursor, "e:3");
  assert.equal(store.sign("a"), undefined);
});

test("a status frame changes the broker's state, other frames without states change nothing", () => {
  const store = new Store();
  assert.equal(store.broker, null);
  store.apply(snapshot([]));
  store.apply({ type: "status", broker: "offline" });
  assert.equal(store.broker, "offline");
  for (const type of ["heartbeat", "pong", "unknown", "goodbye", "error"]) {
    assert.deepEqual(store.apply({ type }), []);
  }
  assert.equal(store.cursor, "e:1");
});

test("a state is not newer than the frame that brought it", () => {
  const store = new Store();
  store.apply(snapshot([state("ahead", 240_000), state("right", 10), { pillow: "timeless", state: "neutral" }]));
  assert.equal(store.sign("ahead").asOf, T0 + 60_000);
  assert.equal(store.sign("right").asOf, T0 + 10);
  assert.equal(store.sign("timeless").asOf, T0 + 60_000);
});

test("instant() keeps digits below a millisecond, in any zone and letter case", () => {
  assert.equal(instant("2026-11-22T06:00:00Z"), T0);
  assert.equal(instant("2026-11-22t07:00:00.5+01:00"), T0 + 500);
  assert.ok(instant("2026-11-22T06:00:00.1234Z") < instant("2026-11-22T06:00:00.12345Z"));
  for (const odd of ["yesterday", "2026-11-22", "", undefined, 7]) assert.ok(Number.isNaN(instant(odd)), String(odd));
});

test("at, then seq, order the states of a pillow; equal ones are not older", () => {
  const older = (a, b) => isOlder({ at: a[0], seq: a[1] }, { at: b[0], seq: b[1] });
  const early = "2026-11-22T06:00:00.0001Z";
  const late = "2026-11-22T06:00:00.0002Z";
  assert.ok(older([early, 9], [late, 1]));
  assert.ok(!older([late, 1], [early, 9]));
  assert.ok(older([late, 1], [late, 2]));
  assert.ok(!older([late, 2], [late, 2]));
  assert.ok(older([late, undefined], [late, 2]), "none counts as 0");
  assert.ok(!older([late, undefined], [late, 0]));
});

/** A gateway in small: a stream of changes, resumed by cursor while its memory reaches. */
class Stream {
  newest = new Map();
  #log = [];
  #epoch = 1;

  get cursor() {
    return `e${this.#epoch}:${this.#log.length}`;
  }

  publish(pillow) {
    this.newest.set(pillow.pillow, pillow);
    this.#log.push(pillow.pillow);
  }

  remove(id) {
    this.newest.delete(id);
    this.restart();
  }

  restart() {
    this.#epoch += 1;
    this.#log = [];
  }

  join(since) {
    const [epoch, offset] = (since ?? "none:0").split(":");
    const recovered = epoch === `e${this.#epoch}`;
    const ids = recovered ? new Set(this.#log.slice(Number(offset))) : this.newest.keys();
    const pillows = [...ids].map((id) => this.newest.get(id));
    return snapshot(pillows, { recovered, cursor: this.cursor });
  }
}

test("after lost, repeated or late frames, a client that resumes has the newest state of each pillow", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const pick = (count) => Math.floor(random() * count);
    const stream = new Stream();
    const store = new Store();
    const past = [];
    let isConnected = false;

    for (let turn = 0; turn < 120; turn += 1) {
      const id = `cloud-${pick(5)}`;
      const act = random();
      if (act < 0.6) {
        const pillow = state(id, Math.floor(turn / 3), { seq: turn });
        stream.publish(pillow);
        past.push(pillow);
        // Late and doubled ones come along; a gateway that conflates leaves some out.
        const company = Array.from({ length: pick(3) }, () => past[pick(past.length)]).filter(
          (old) => stream.newest.has(old.pillow),
        );
        if (isConnected) store.apply(update([pillow, ...company], { cursor: stream.cursor }));
      } else if (act < 0.66 && stream.newest.has(id)) {
        stream.remove(id);
        if (isConnected) store.apply({ type: "removed", cursor: stream.cursor, pillows: [id] });
      } else if (act < 0.7) {
        stream.restart();
        isConnected = false;
      } else if (act < 0.85) {
        isConnected = false;
      } else if (!isConnected) {
        store.apply(stream.join(store.cursor));
        isConnected = true;
      }
    }
    if (!isConnected) store.apply(stream.join(store.cursor));
    const byId = (map) => Object.fromEntries([...map].sort());
    assert.deepEqual(byId(store.pillows), byId(stream.newest), `seed ${seed}`);
  }
});
