/** The tools of the page: what is shared, which hugs are signalled and how, and names that no pillow can have. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Choices } from "../../services/gateway/src/gateway/static/page/choices.js";
import { HugWatch, SAME_HUG_MS } from "../../services/gateway/src/gateway/static/page/hug_watch.js";
import { impossibleName, nearestId } from "../../services/gateway/src/gateway/static/page/impossible_names.js";
import { badgeSnippet, embedSnippet, pillowLink, wallLink } from "../../services/gateway/src/gateway/static/page/share.js";
import { MIN_NOTIFICATION_INTERVAL_MS, MIN_SOUND_INTERVAL_MS, Notifications, Sound, TabIcon } from "../../services/gateway/src/gateway/static/page/signal_outputs.js";
import { hugSentence, Signals } from "../../services/gateway/src/gateway/static/page/signals.js";
import { copyField } from "../../services/gateway/src/gateway/static/page/tools_dialog.js";
import { english } from "./english.js";
import { ManualClock } from "./fakes.js";

const FOLDER = new URL("https://clouds.example/pillows/");

test("addresses and snippets are absolute, also below a path", () => {
  assert.equal(pillowLink(FOLDER, "cloud-1"), "https://clouds.example/pillows/?pillow=cloud-1");
  assert.equal(wallLink(FOLDER, { search: "", hash: "" }), "https://clouds.example/pillows/");
  assert.equal(
    wallLink(FOLDER, { search: "?lang=de&pillow=a&pillow=b", hash: "#state=hugging" }),
    "https://clouds.example/pillows/?pillow=a&pillow=b#state=hugging",
    "the reader has a language of their own",
  );
  assert.equal(
    embedSnippet(FOLDER, ["a"], false),
    '<script type="module" src="https://clouds.example/pillows/embed.js"></script>\n' +
      '<cloud-pillow pillow="a" src="https://clouds.example/pillows/"></cloud-pillow>',
  );
  assert.match(embedSnippet(FOLDER, ["a", "b"], true), /(<cloud-pillow [^>]* token="TOKEN"><\/cloud-pillow>\n?){2}$/);
  assert.equal(badgeSnippet(FOLDER, ["a"]), "[![a](https://clouds.example/pillows/badge/a.svg)](https://clouds.example/pillows/?pillow=a)");
});

test("where the browser does not let the page copy, the text is selected", async () => {
  const calls = [];
  const field = { value: "text", focus: () => calls.push("focus"), select: () => calls.push("select") };
  assert.equal(await copyField(field, { writeText: async (text) => calls.push(text) }), true);
  assert.deepEqual(calls.splice(0), ["text"]);
  for (const clipboard of [undefined, { writeText: async () => Promise.reject(new Error("forbidden")) }]) {
    assert.equal(await copyField(field, clipboard), false);
    assert.deepEqual(calls.splice(0), ["focus", "select"]);
  }
});

const sentenceOf = (names) => hugSentence(names, english);

/** A browser's storage. */
function storage(texts = {}) {
  return { getItem: (key) => texts[key] ?? null, setItem: (key, text) => (texts[key] = text), texts };
}

test("choices are off until asked for, and kept for each gateway of a site", () => {
  const localStorage = storage();
  const choices = new Choices({ localStorage }, FOLDER);
  assert.equal(choices.isOn, false);
  choices.set({ sound: true, favourites: ["a"] });
  const again = new Choices({ localStorage }, FOLDER);
  assert.deepEqual(again.chosen, { title: false, sound: true, notification: false, scope: "view", favourites: ["a"] });
  assert.equal(again.isOn, true);
  assert.equal(new Choices({ localStorage }, new URL("https://clouds.example/")).isOn, false);
});

test("a storage that throws, or that something else wrote to, changes nothing but that", () => {
  const forbidden = Object.defineProperty({}, "localStorage", {
    get() {
      throw new Error("SecurityError");
    },
  });
  const choices = new Choices(forbidden, FOLDER);
  choices.set({ title: true });
  assert.deepEqual([choices.isOn, choices.isKept], [true, false]);
  for (const text of ["", "null", "[", "7", '{"sound":1,"scope":"x","favourites":[1,"a"]}']) {
    const found = new Choices({ localStorage: storage({ "pillowcast-signals /pillows/": text }) }, FOLDER);
    assert.equal(found.isOn, false, text);
    assert.equal(found.chosen.scope, "view");
    assert.ok(found.chosen.favourites.every((id) => id === "a"));
  }
});

test("what another tab chose holds in this one", () => {
  const choices = new Choices({ localStorage: storage() }, FOLDER);
  choices.follow({ key: "other", newValue: '{"sound":true}' });
  assert.equal(choices.isOn, false);
  choices.follow({ key: "pillowcast-signals /pillows/", newValue: '{"sound":true}' });
  assert.equal(choices.isOn, true);
  choices.follow({ key: null, newValue: null });
  assert.equal(choices.isOn, false, "the storage was cleared");
});

const updateOf = (id, state, before = "neutral") => ({ id, pillow: state && { pillow: id, state }, previous: before === null ? undefined : { pillow: id, state: before } });

test("one hug is one, however many reports it takes", () => {
  const watch = new HugWatch();
  watch.start([["b", { state: "hugging" }]], 0);
  assert.equal(watch.note(updateOf("a", "hugging"), true, 10), true);
  assert.equal(watch.note(updateOf("a", "hugging", "hugging"), true, 20_000), false);
  assert.equal(watch.note(updateOf("a", "neutral", "hugging"), true, 60_000), false);
  assert.equal(watch.note(updateOf("a", "hugging"), true, 60_000 + SAME_HUG_MS), false, "an arm was moved");
  watch.note(updateOf("a", "neutral", "hugging"), true, 70_000);
  assert.equal(watch.note(updateOf("a", "hugging"), true, 70_001 + SAME_HUG_MS), true);
  assert.equal(watch.note(updateOf("b", "hugging", "hugging"), true, 80_000), false, "it was hugged before");
  assert.deepEqual([...watch.hugged].sort(), ["a", "b"]);
});

test("what was true before is no news: a snapshot, and a pillow that was not known", () => {
  const watch = new HugWatch();
  assert.equal(watch.note(updateOf("a", "hugging"), false, 0), false);
  assert.equal(watch.note(updateOf("b", "hugging", null), true, 0), false);
  assert.equal(watch.note(updateOf("b", null, "hugging"), true, 0), false);
  assert.deepEqual([...watch.hugged], ["a"]);
});

/** Signals of a page with two pillows; `out` has what was signalled. */
function setUpSignals(chosen, { viewed = null } = {}) {
  const client = Object.assign(new EventTarget(), { connection: "live", pillows: new Map([["a", { state: "neutral" }], ["b", { state: "neutral" }]]) });
  const out = { sounds: 0, names: [], icon: null, prefix: "" };
  let now = 100_000;
  const page = {
    client,
    state: { get viewed() { return viewed; } },
    nameOf: (id) => id.toUpperCase(),
    texts: english,
    pictureUrl: (state) => `data:${state}`,
    views: { shell: { setTitlePrefix: (prefix) => (out.prefix = prefix) } },
  };
  const choices = new Choices({ localStorage: storage() }, FOLDER);
  choices.set(chosen);
  const outputs = {
    sound: { play: () => (out.sounds += 1) },
    notifications: { add: (name) => out.names.push(name) },
    icon: { show: (address) => (out.icon = address) },
  };
  const signals = new Signals(page, choices, outputs, () => now);
  signals.start();
  const change = (id, state, { isSnapshot = false } = {}) => {
    now += 20_000;
    const previous = client.pillows.get(id);
    client.pillows.set(id, { pillow: id, state });
    client.dispatchEvent(Object.assign(new Event("change"), { detail: { updates: [{ id, pillow: { pillow: id, state }, previous }], isSnapshot, sent: 0 } }));
  };
  return { out, change, client, choices, signals, open: (id) => ((viewed = id), signals.refresh()) };
}

test("nothing is signalled that was not asked for", () => {
  const { out, change } = setUpSignals({});
  change("a", "hugging");
  assert.deepEqual(out, { sounds: 0, names: [], icon: null, prefix: "" });
});

test("a hug is heard and notified once", () => {
  const { out, change } = setUpSignals({ sound: true, notification: true });
  change("a", "hugging");
  change("a", "hugging");
  assert.deepEqual([out.sounds, out.names], [1, ["A"]]);
});

test("the tab shows the cloud that is open, and on the wall who is hugged", () => {
  const { out, change, client, open } = setUpSignals({ title: true });
  change("a", "hugging");
  assert.deepEqual([out.prefix, out.icon], ["A is being hugged · ", "data:hugging"]);
  change("b", "hugging");
  assert.equal(out.prefix, "2 clouds are being hugged · ");
  open("b");
  change("b", "spinning");
  assert.deepEqual([out.prefix, out.icon], ["Spinning · ", "data:spinning"]);
  client.connection = "disconnected";
  client.dispatchEvent(new Event("connection"));
  assert.deepEqual([out.prefix, out.icon], ["", null], "an old state is not shown as live");
});

test("signals are of the cloud that is open, of all, or of favourites", () => {
  const heard = (chosen, viewed) => {
    const { out, change } = setUpSignals({ notification: true, ...chosen }, { viewed });
    change("a", "hugging");
    change("b", "hugging");
    return out.names.join("");
  };
  assert.equal(heard({ scope: "view" }, null), "AB");
  assert.equal(heard({ scope: "view" }, "b"), "B");
  assert.equal(heard({ scope: "all" }, "b"), "AB");
  assert.equal(heard({ scope: "favourites", favourites: ["a"] }, "b"), "A");
});

test("who asks for signals during a hug hears of the next one", () => {
  const { out, change, choices, signals } = setUpSignals({});
  change("a", "hugging");
  choices.set({ sound: true, title: true });
  signals.refresh();
  assert.equal(out.prefix, "A is being hugged · ");
  change("a", "hugging");
  assert.equal(out.sounds, 0);
});

test("of hugs at the same time one is heard, and none before the browser allows it", () => {
  let started = 0;
  const param = () => ({ setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {}, value: 0 });
  const node = () => ({ frequency: param(), gain: param(), connect: (next) => next, start: () => (started += 1), stop() {} });
  class AudioContext {
    state = "suspended";
    currentTime = 0;
    createOscillator = node;
    createGain = node;
    async resume() {
      this.state = "running";
    }
  }
  let now = 0;
  const sound = new Sound({ AudioContext }, () => now);
  sound.play();
  assert.equal(started, 0);
  sound.allow();
  sound.play();
  sound.play();
  assert.equal(started, 2, "two notes, once");
  now += MIN_SOUND_INTERVAL_MS;
  sound.play();
  assert.equal(started, 4);
  const silent = new Sound({}, () => now);
  silent.allow();
  silent.play();
});

test("notifications are shown while nobody looks, hugs of the same time in one", async () => {
  const time = new ManualClock();
  const shown = [];
  class Notification {
    static permission = "granted";
    static requestPermission = async () => Notification.permission;
    constructor(title, options) {
      shown.push([title, options.tag]);
    }
  }
  const window = { Notification, document: { hidden: true }, navigator: {}, setTimeout: time.timers.setTimeout };
  const notifications = new Notifications(window, sentenceOf, "icon.png");
  notifications.add("A");
  notifications.add("B");
  notifications.add("C");
  assert.deepEqual(shown, [["A is being hugged", "pillowcast-hug"]]);
  time.pass(MIN_NOTIFICATION_INTERVAL_MS);
  assert.deepEqual(shown.at(-1), ["2 clouds are being hugged", "pillowcast-hug"]);
  window.document.hidden = false;
  time.pass(MIN_NOTIFICATION_INTERVAL_MS);
  notifications.add("D");
  assert.equal(shown.length, 2, "somebody looks");
  assert.equal(await notifications.ask(), "granted");
  Notification.permission = "denied";
  window.document.hidden = true;
  notifications.add("E");
  assert.equal(shown.length, 2);
  assert.equal(await notifications.ask(), "denied");
  assert.equal(await new Notifications({}, sentenceOf, "").ask(), "missing");
});

test("a phone shows the notification of its service worker", async () => {
  const shown = [];
  function Notification() {
    throw new TypeError("Illegal constructor");
  }
  Notification.permission = "granted";
  const serviceWorker = { getRegistration: async () => ({ showNotification: async (title) => shown.push(title) }) };
  new Notifications({ Notification, document: { hidden: true }, navigator: { serviceWorker }, setTimeout: () => 0 }, sentenceOf, "").add("A");
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(shown, ["A is being hugged"]);
});

test("the tab's own icon comes back", () => {
  const link = { href: "own.svg" };
  const icon = new TabIcon({ querySelector: () => link });
  icon.show("data:hugging");
  assert.equal(link.href, "data:hugging");
  icon.show(null);
  assert.equal(link.href, "own.svg");
  new TabIcon({ querySelector: () => null }).show("data:hugging");
});

test("a name in the address that no pillow can have is found, and the one that was meant", () => {
  assert.equal(impossibleName({ search: "?pillow=Cloud-1", hash: "" }), "Cloud-1");
  assert.equal(impossibleName({ search: "?pillow=a&pillow=", hash: "" }), "");
  assert.equal(impossibleName({ search: "", hash: "#Gro%C3%9Fmutter" }), "Großmutter");
  assert.equal(impossibleName({ search: "", hash: "#%E0" }), "%E0");
  for (const hash of ["", "#", "#cloud-1", "#state=hugging", "#order=newest&name=X"]) {
    assert.equal(impossibleName({ search: "?pillow=cloud-1", hash }), null, hash);
  }
  assert.equal(nearestId("Cloud 1!"), "cloud-1");
  assert.equal(nearestId("Éloïse"), "eloise");
  assert.equal(nearestId("bridge"), null);
  assert.equal(nearestId("☁"), null);
});
