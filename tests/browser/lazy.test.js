import assert from "node:assert/strict";
import { test } from "node:test";

import { LatencyLater } from "../../services/gateway/src/gateway/static/page/latency_later.js";
import { loadLater } from "../../services/gateway/src/gateway/static/page/lazy.js";
import { reloadIfIncomplete } from "../../services/gateway/src/gateway/static/page/reload_incomplete.js";
import { renew } from "../../services/gateway/src/gateway/static/page/reloads.js";
import { StoryLater } from "../../services/gateway/src/gateway/static/page/story_later.js";

/** A document whose style sheets the test lets succeed or fail. */
function fakeDocument(dataset) {
  const links = [];
  const createElement = () => {
    const link = new EventTarget();
    link.remove = () => links.splice(links.indexOf(link), 1);
    link.sheet = { cssRules: [{ cssText: "a { }" }, { cssText: "#whole { }" }] };
    return link;
  };
  return { baseURI: "http://gateway/clouds/?lang=de", body: { dataset }, head: { append: (link) => links.push(link) }, createElement, links };
}

const PART = { part: 1, $version: "0123456789ab" };
const journey = (ms) => ({ legs: [], ms, atMost: false });

test("a part is loaded once, from its address below the page's folder", async () => {
  const addresses = [];
  const load = async (address) => addresses.push(address) && PART;
  const document = fakeDocument({ once: "./assets/1/once.js" });
  assert.deepEqual(await Promise.all([loadLater(document, "once", load), loadLater(document, "once", load)]), [PART, PART]);
  assert.deepEqual(addresses, ["http://gateway/clouds/assets/1/once.js"]);
});

test("a part is there once its style sheet applies", async () => {
  const document = fakeDocument({ styled: "./styled.js", styledStyle: "./styled.css" });
  let isThere = false;
  const part = loadLater(document, "styled", async () => PART).then(() => (isThere = true));
  await new Promise(setImmediate);
  assert.equal(document.links[0].href, "http://gateway/clouds/styled.css");
  assert.equal(isThere, false);
  document.links[0].dispatchEvent(new Event("load"));
  await part;
});

test("a part that failed is loaded again by another address, and its style sheet is not left", async () => {
  const addresses = [];
  const load = async (address) => addresses.push(address) && PART;
  const document = fakeDocument({ failing: "./failing.js", failingStyle: "./failing.css" });
  const first = loadLater(document, "failing", load);
  document.links[0].dispatchEvent(new Event("error"));
  await assert.rejects(first, /failing\.css could not be loaded/);
  assert.equal(document.links.length, 0);
  const second = loadLater(document, "failing", load);
  assert.equal(document.links[0].href, "http://gateway/clouds/failing.css?attempt=1");
  document.links[0].dispatchEvent(new Event("load"));
  await second;
  assert.deepEqual(addresses.map((address) => new URL(address).search), ["", "?attempt=1"]);
});

test("a part that was cut is loaded again: its last line is not there", async () => {
  let exports = {};
  const document = fakeDocument({ cut: "./cut.js", cutStyle: "./cut.css" });
  const first = loadLater(document, "cut", async () => exports);
  document.links[0].dispatchEvent(new Event("load"));
  await assert.rejects(first, /cut\.js arrived incomplete/);
  assert.equal(document.links.length, 0);
  exports = PART;
  for (const sheet of [{ cssRules: [{ cssText: "a { }" }] }, { cssRules: [] }, null]) {
    const again = loadLater(document, "cut", async () => exports);
    document.links[0].sheet = sheet;
    document.links[0].dispatchEvent(new Event("load"));
    await assert.rejects(again, /cut\.css arrived incomplete/);
  }
  const last = loadLater(document, "cut", async () => exports);
  document.links[0].dispatchEvent(new Event("load"));
  assert.equal(await last, PART);
});

test("the latency panel is loaded with the first latency, and gets those of meanwhile", async () => {
  const added = [];
  let count = 0;
  const later = new LatencyLater(async () => (count += 1) && { add: (...one) => added.push(one), render: () => added.push("rendered") }, () => 0);
  later.render({});
  assert.equal(count, 0);
  later.add("a", journey(1));
  later.add("b", journey(2));
  await new Promise(setImmediate);
  later.add("c", journey(3));
  later.render({});
  assert.equal(count, 1);
  assert.deepEqual(added, [["a", journey(1)], ["b", journey(2)], ["c", journey(3)], "rendered"]);
});

test("a latency panel that cannot be loaded is said once, and loaded again after half a minute", async (context) => {
  context.mock.method(console, "warn", () => {});
  let now = 0;
  let count = 0;
  const later = new LatencyLater(async () => { count += 1; throw new Error("no network"); }, () => now);
  later.add("a", journey(1));
  await new Promise(setImmediate);
  later.add("a", journey(2));
  assert.equal(count, 1);
  now = 30_000;
  later.add("a", journey(3));
  await new Promise(setImmediate);
  assert.equal(count, 2);
  assert.equal(console.warn.mock.callCount(), 2);
});

test("the story is loaded when it is needed, and then shows what was wanted last", async () => {
  const shown = [];
  let count = 0;
  const story = { show: (...all) => shown.push(all), past: () => "past", hugs: () => 4, card: () => ["4 hugs", ""] };
  const later = new StoryLater(async () => (count += 1) && story, () => 0);
  later.show(null, "name", false);
  await new Promise(setImmediate);
  assert.deepEqual([count, later.past("a"), later.hugs("a"), later.card("a")], [0, null, 0, ["", ""]]);
  later.show(null, "name", true);
  later.show("a", "name", true);
  await new Promise(setImmediate);
  assert.deepEqual([count, shown], [1, [["a", "name", true]]]);
  assert.deepEqual([later.past("a"), later.hugs("a"), later.card("a")], ["past", 4, ["4 hugs", ""]]);
});

test("a story that cannot be loaded is said once, and loaded again after half a minute", async (context) => {
  context.mock.method(console, "warn", () => {});
  let now = 0;
  let count = 0;
  const later = new StoryLater(async () => { count += 1; throw new Error("no network"); }, () => now);
  for (const at of [0, 29_999, 30_000]) {
    now = at;
    later.show("a", "name", true);
    await new Promise(setImmediate);
  }
  assert.deepEqual([count, console.warn.mock.callCount()], [2, 2]);
});

test("a part of another release loads the page anew, at most once in ten minutes, and never without a storage", () => {
  let reloads = 0;
  const location = { reload: () => (reloads += 1) };
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  renew("./assets/0123456789ab/page/story.en.js", "0123456789ab", storage, location);
  renew("./assets/0123456789ab/page/story.en.js", "ba9876543210", null, location);
  assert.equal(reloads, 0);
  for (let turn = 0; turn < 3; turn += 1) renew("./assets/0123456789ab/page/story.en.js", "ba9876543210", storage, location);
  assert.equal(reloads, 1);
});

/** A page whose response is cut, and a gateway. */
class CutPage {
  gateway = "";
  reloads = 0;
  check = null;
  document = { adoptedStyleSheets: [], documentElement: { outerHTML: "<head>" }, querySelector: () => this.script };
  script = null;

  constructor() {
    const setTimeout = (callback, ms) => (assert.equal(ms, 60_000), (this.check = callback));
    const location = { reload: () => (this.reloads += 1) };
    reloadIfIncomplete(this.document, location, setTimeout, async () => this.gateway || Promise.reject(new Error("away")));
  }

  /** A minute passes; whether the page is looked at again. */
  async pass() {
    const { check } = this;
    this.check = null;
    await check();
    return this.check !== null;
  }
}

test("a page of which nothing more comes is loaded anew once the gateway has a whole one", async () => {
  const page = new CutPage();
  for (const more of ["<h1>", "<main>"]) {
    page.document.documentElement.outerHTML += more;
    assert.equal(await page.pass(), true, "it comes slowly");
  }
  page.script = { textContent: "let on" };
  for (const answer of ["", "<p>Bad gateway", "<script>let one = 1;</sc"]) {
    page.gateway = answer;
    assert.equal(await page.pass(), true);
  }
  assert.equal(page.reloads, 0);
  page.gateway = "<body><script type=module>let one = 1;</script></body></html>";
  assert.equal(await page.pass(), false);
  assert.equal(page.reloads, 1);
});

test("a page that has started, or that is whole and does not start, is not loaded anew", async () => {
  for (const start of [(page) => (page.script = { textContent: "let one = 1;" }), (page) => page.document.adoptedStyleSheets.push({})]) {
    const page = new CutPage();
    page.gateway = "<script>let one = 1;</script></html>";
    start(page);
    assert.equal(await page.pass(), false);
    assert.equal(page.reloads, 0);
  }
});

test("a browser that is too old for the page is not made to load it again", () => {
  reloadIfIncomplete({ documentElement: { outerHTML: "" } }, null, () => assert.fail("it looks again"));
});
