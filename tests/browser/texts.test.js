/** The sentences: how they are formatted, that each key is used, and that no other sentence is in the code. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { describePillow } from "../../services/gateway/src/gateway/static/cloud/format.js";
import { Texts } from "../../services/gateway/src/gateway/static/cloud/texts.js";
import { english, readTable, TABLE } from "./english.js";

const STATIC = new URL("../../services/gateway/src/gateway/static/", import.meta.url);

const sources = ["cloud/", "page/"].flatMap((folder) =>
  readdirSync(new URL(folder, STATIC))
    .filter((name) => name.endsWith(".js"))
    .map((name) => ({ name: folder + name, source: readFileSync(new URL(folder + name, STATIC), "utf8") })),
);
const index = readFileSync(new URL("index.html", STATIC), "utf8");
const head = readFileSync(new URL("../http/link_preview.py", STATIC), "utf8");

/** The keys and beginnings of keys that code and page use: `status.live`, `clock.`. */
function used() {
  const keys = new Set([...index.matchAll(/\{\{([\w.-]+\.[\w.-]+)/g)].map(([, key]) => key));
  for (const [, key] of head.matchAll(/for_html\("([\w.-]+)"\)/g)) keys.add(key);
  const prefixes = new Set();
  for (const { source } of sources) {
    // A key may be one of two: `format(isRetained ? "a.b" : "a.c")`, or chosen before: `["x", "a.b"]`.
    for (const [, key] of source.matchAll(/"([a-z]+\.[\w-]+)"/g)) keys.add(key);
    for (const [, prefix] of source.matchAll(/`([a-z]+\.[\w-]*)\$\{/g)) prefixes.add(prefix);
    for (const [, group] of source.matchAll(/\.choose\("(\w+)"/g)) prefixes.add(`${group}.`);
  }
  return { keys, prefixes: [...prefixes] };
}

test("every sentence is used", () => {
  const { keys, prefixes } = used();
  const unused = Object.keys(TABLE).filter((key) => !keys.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)));
  assert.deepEqual(unused, []);
});

test("every key that is used has a sentence", () => {
  const { keys, prefixes } = used();
  const groups = new Set(Object.keys(TABLE).map((key) => key.split(".")[0]));
  assert.deepEqual([...keys].filter((key) => groups.has(key.split(".")[0]) && !(key in TABLE)), []);
  assert.deepEqual(prefixes.filter((prefix) => !Object.keys(TABLE).some((key) => key.startsWith(prefix))), []);
});

/** What is no sentence for users: the name, classes, and a header. What authors read on the console is removed before. */
const NO_SENTENCE = [/^Pillowcast$/, /^cloud plain offscreen$/, /^Bearer 0$/];

test("no sentence for users is in the code", () => {
  for (const { name, source } of sources) {
    const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").replace(/console\.\w+\([^;]*;|new \w*Error\([^;]*;|throw [^;]*;/g, "");
    const templates = [...code.matchAll(/`([^`]*)`/g)].map(([, text]) => text.replace(/\$\{[^}]*\}/g, "0"));
    const literals = [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, text]) => text).concat(templates);
    // Words with a capital or a space between them; markup, styles, selectors and keys of events are not.
    const sentences = literals.filter((text) => /^[A-Z][a-z]+(?: |…|\.|$)|[a-z]{2,} [a-z]{2,} [a-z]{2,}/.test(text) && !/[<>{}#=:;[\]]/.test(text));
    const keysOfKeyboard = /^(?:Arrow|Page|Home|End|Escape|Enter|Tab)/;
    const found = sentences.filter((text) => !keysOfKeyboard.test(text) && !NO_SENTENCE.some((one) => one.test(text)));
    assert.deepEqual(found, [], name);
  }
});

test("no sentence for users is in the page's source", () => {
  const body = index.slice(index.indexOf("<body")).replace(/<!--[\s\S]*?-->|\{\{[^{}]*\}\}/g, "");
  const texts = [...body.matchAll(/>([^<>]+)</g)].map(([, text]) => text.trim()).filter((text) => /[A-Za-z]/.test(text));
  const untranslated = [...body.matchAll(/translate="no"[^>]*>([^<>]+)</g)].map(([, text]) => text.trim());
  assert.deepEqual(texts.filter((text) => !untranslated.includes(text) && text !== "pillow-state"), []);
  const attributes = [...index.matchAll(/ (?:aria-label|placeholder|title|alt)="([^"]*)"/g)].map(([, text]) => text);
  assert.deepEqual(attributes.filter((text) => !text.startsWith("{{")), []);
});

const LANGUAGES = readdirSync(new URL("../texts/", STATIC)).map((name) => name.replace(".json", ""));
const categoriesOf = (language) => new Intl.PluralRules(language).resolvedOptions().pluralCategories.sort();
const valuesOf = (sentence) => [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

for (const language of LANGUAGES) {
  const table = language === "en" ? TABLE : readTable(language);

  test(`${language} has every sentence and no other`, () => {
    assert.deepEqual(Object.keys(table).sort(), Object.keys(TABLE).sort());
  });

  test(`${language} has the values of each sentence, and a form for each of its plural categories`, () => {
    for (const [key, english] of Object.entries(TABLE)) {
      const sentence = table[key];
      assert.equal(typeof sentence, typeof english, key);
      if (typeof sentence === "string") {
        assert.deepEqual(valuesOf(sentence), valuesOf(english), key);
        continue;
      }
      assert.deepEqual(Object.keys(sentence).sort(), categoriesOf(language), key);
      assert.deepEqual(valuesOf(sentence.other), valuesOf(english.other), key);
      for (const form of Object.values(sentence)) {
        assert.deepEqual(valuesOf(form).filter((name) => !valuesOf(english.other).includes(name)), [], key);
      }
    }
  });

  test(`the keys of ${language} are sorted, so that two changes seldom meet`, () => {
    const keys = Object.keys(readTable(language));
    assert.deepEqual(keys, [...keys].sort());
  });
}

const formsOf = (language) => Object.values(readTable(language)).flatMap((sentence) => (typeof sentence === "string" ? [sentence] : Object.values(sentence)));

test("a French sign of two parts has a no-break space, so that it does not begin a line", () => {
  assert.deepEqual(formsOf("fr").filter((sentence) => / [:;!?»]|« /.test(sentence)), []);
});

test("no German sentence has its full stop behind a duration, whose abbreviation has its own", () => {
  assert.deepEqual(formsOf("de").filter((sentence) => /\{(?:age|difference|duration|error|p\d+|second|wait)\}\./.test(sentence)), []);
});

test("the element knows the languages that there are", () => {
  const source = readFileSync(new URL("cloud/element_texts.js", STATIC), "utf8");
  const named = /TRANSLATED = \[([^\]]*)\]/.exec(source)?.[1].match(/\w+/g);
  assert.deepEqual(named.sort(), LANGUAGES.filter((language) => language !== "en"));
});

test("a value comes into its place, a number in the form of the language", () => {
  const texts = new Texts("de", { "a.b": "{n} von {name}", "a.c": { one: "{count} Wolke", other: "{count} Wolken" } });
  assert.equal(texts.format("a.b", { n: 12_345.5, name: "x" }), "12.345,5 von x");
  assert.deepEqual([1, 2_000].map((count) => texts.format("a.c", { count })), ["1 Wolke", "2.000 Wolken"]);
});

test("a plural is chosen by the categories of the language", () => {
  const texts = new Texts("ar", { "a.b": { zero: "z", one: "o", two: "t", few: "f", many: "m", other: "x" } });
  assert.deepEqual([0, 1, 2, 3, 11, 100].map((count) => texts.format("a.b", { count })), ["z", "o", "t", "f", "m", "x"]);
});

test("a group has a sentence for each case, and one for all others", () => {
  assert.equal(english.choose("was", "hugging", { state: "hugging" }), "Was hugging");
  assert.equal(english.choose("was", "dancing", { state: "dancing" }), "Was dancing");
  assert.deepEqual(["neutral", "dancing"].map((state) => english.state(state)), ["Resting", "dancing"]);
});

test("a state that is unknown here is shown as it is, and no longer than a label", () => {
  const states = ["constructor", "{count} hugs", "age.now", "x".repeat(24), "x".repeat(4_000)];
  assert.deepEqual(states.map((state) => english.state(state)), [...states.slice(0, 4), `${"x".repeat(24)}…`]);
});

test("a text of the other direction is isolated", () => {
  const texts = new Texts("en", { "a.b": "{name} hugs" });
  assert.equal(texts.format("a.b", { name: "cloud" }), "cloud hugs");
  assert.equal(texts.format("a.b", { name: "سحابة" }), "\u2068سحابة\u2069 hugs");
  assert.equal(new Texts("ar", { "a.b": "عناق {name}" }).format("a.b", { name: "cloud" }), "عناق \u2068cloud\u2069");
});

test("numbers and times are written as in the user's region, if it has the page's language", () => {
  const at = Date.UTC(2026, 10, 29, 15, 5);
  const options = { hour: "numeric", minute: "2-digit", timeZone: "UTC" };
  const timeOf = (language, locales) => new Texts(language, {}, locales).time(at, options).replace(/\s/g, " ");
  assert.equal(timeOf("en", ["de-DE", "en-GB", "en-US"]), "15:05");
  assert.equal(timeOf("en", ["de-DE"]), "3:05 PM");
  assert.equal(new Texts("de", {}, ["en", "de-CH"]).number(1_234), "1’234".replace("’", new Intl.NumberFormat("de-CH").format(1_234)[1]));
});

test("a duration is rounded down to its largest unit", () => {
  const formatted = [-5, 0, 999, 12_400, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 200_000_000].map((ms) => english.duration(ms));
  assert.deepEqual(formatted, ["0 sec", "0 sec", "0 sec", "12 sec", "59 sec", "1 min", "59 min", "1 hr", "1 day", "2 days"]);
});

test("a short duration is in ms, or in seconds with one digit", () => {
  assert.deepEqual([182.4, 1_240].map((ms) => english.shortDuration(ms)), ["182 ms", "1.2 sec"]);
});

test("an age is 'just now' below 2 s, and empty if unknown", () => {
  assert.deepEqual([-400, 1_999, NaN].map((ms) => english.age(ms)), ["just now", "just now", ""]);
  const age = (count, unit) => new Intl.RelativeTimeFormat("en", { style: "short" }).format(-count, unit);
  assert.deepEqual([2_000, 180_000].map((ms) => english.age(ms)), [age(2, "second"), age(3, "minute")]);
});

test("a number from 0 to 1 is a percentage, anything else is empty", () => {
  assert.deepEqual([0.814, 0].map((share) => english.percent(share)), ["81%", "0%"]);
  for (const odd of [undefined, null, NaN, -0.1, 1.1, "x"]) assert.equal(english.percent(odd), "", String(odd));
});

test("what is written without Intl is what Intl writes", () => {
  for (const locale of ["en", "en-GB", "en-US", "de", "de-CH", "de-DE", "es", "es-ES", "es-MX", "fr", "fr-FR", "fr-CH", "ja", "ja-JP", "ar-EG"]) {
    const texts = new Texts(locale.slice(0, 2), {}, [locale]);
    const [plain, percent] = [new Intl.NumberFormat(locale), new Intl.NumberFormat(locale, { style: "percent" })];
    for (const number of [0, 1, 42, 999, 1_000, 98_765, -1, 0.5]) assert.equal(texts.number(number), plain.format(number), locale);
    for (let hundredths = 0; hundredths <= 100; hundredths += 1) assert.equal(texts.percent(hundredths / 100), percent.format(hundredths / 100).replace("\u202f", "\u00a0"), locale);
  }
});

test("ages may come later, and what stands beside them with them", () => {
  const texts = new Texts("en", TABLE);
  texts.setAges(false);
  const quiet = () => describePillow({ pillow: "a", state: "hugging" }, { fresh: "quiet", ageMs: 18_000, isRetained: true }, texts).when;
  assert.deepEqual([texts.age(0), texts.age(18_000), quiet()], ["", "", ""]);
  texts.setAges(true);
  assert.equal(quiet(), `quiet, ${texts.age(18_000)}`);
});

test("sentences of a part that is loaded later are added", () => {
  const texts = new Texts("en", {});
  texts.add({ "story.a": "Once" });
  assert.equal(texts.format("story.a"), "Once");
});

test("ages and numbers follow a browser that translates the page, sentences do not", () => {
  const texts = new Texts("en", { "a.b": { one: "{count} cloud", other: "{count} clouds" } });
  texts.follow("pl");
  assert.equal(texts.age(180_000), new Intl.RelativeTimeFormat("pl", { style: "short" }).format(-3, "minute"));
  assert.equal(texts.format("a.b", { count: 12_345 }), `${new Intl.NumberFormat("pl").format(12_345)} clouds`);
  texts.follow("no language");
  assert.equal(texts.number(12_345.5), new Intl.NumberFormat("pl").format(12_345.5));
  texts.follow("en");
  texts.follow("pl");
  assert.equal(texts.percent(0.5), new Intl.NumberFormat("pl", { style: "percent" }).format(0.5));
});

test("after a translation numbers are those of the user's region again", () => {
  const texts = new Texts("de", {}, ["de-CH"]);
  texts.follow("pl");
  texts.follow("de");
  assert.equal(texts.number(12_345.5), new Intl.NumberFormat("de-CH").format(12_345.5));
});
