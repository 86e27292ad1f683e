/** Days and hours of a time zone. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Calendar, HOUR_MS } from "../../services/gateway/src/gateway/static/page/calendar.js";
import { Times } from "../../services/gateway/src/gateway/static/page/times.js";
import { english } from "./english.js";
import { seeded } from "./fakes.js";

const at = (text) => Date.parse(text);
const iso = (time) => new Date(time).toISOString();

test("a day begins at the visitor's midnight", () => {
  const berlin = new Calendar("Europe/Berlin");
  assert.equal(berlin.day(at("2026-11-28T23:30:00Z")), "2026-11-29");
  assert.equal(berlin.hour(at("2026-11-28T23:30:00Z")), 0);
  assert.equal(iso(berlin.midnight(at("2026-11-29T18:00:00Z"))), "2026-11-28T23:00:00.000Z");
  const kolkata = new Calendar("Asia/Kolkata");
  assert.equal(iso(kolkata.midnight(at("2026-11-29T18:00:00Z"))), "2026-11-28T18:30:00.000Z");
});

test("a day on which clocks are set has 23 or 25 hours", () => {
  const berlin = new Calendar("Europe/Berlin");
  const lengths = (until) => berlin.lastDays(at(until), 3).map(({ from, to }) => (to - from) / HOUR_MS);
  assert.deepEqual(lengths("2026-03-30T12:00:00Z"), [24, 23, 24]);
  assert.deepEqual(lengths("2026-10-26T12:00:00Z"), [24, 25, 24]);
});

test("a day that does not begin at 0:00 begins with its first moment", () => {
  const beirut = new Calendar("Asia/Beirut");
  const [day] = beirut.lastDays(at("2026-03-29T12:00:00Z"), 1);
  assert.equal(beirut.hour(day.from), 1);
  assert.equal(beirut.day(day.from - 1), "2026-03-28");
});

test("days follow each other without a gap in every zone", () => {
  const random = seeded(5);
  for (const zone of ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Havana"]) {
    const calendar = new Calendar(zone);
    for (let turn = 0; turn < 10; turn += 1) {
      const now = at("2026-01-01T00:00:00Z") + Math.floor(random() * 365 * 24 * HOUR_MS);
      const days = calendar.lastDays(now, 7);
      assert.equal(days.length, 7);
      assert.ok(days[6].from <= now && now < days[6].to, zone);
      days.slice(1).forEach(({ from }, index) => assert.equal(from, days[index].to));
      for (const { day, from, to } of days) assert.deepEqual([calendar.day(from), calendar.day(to - 1)], [day, day]);
    }
  }
});

test("without a name the zone is the machine's own", () => {
  assert.equal(new Calendar().zone, Intl.DateTimeFormat().resolvedOptions().timeZone);
});

test("a machine whose zone is not understood has the days of UTC, and its times can be written", () => {
  const own = process.env.TZ;
  try {
    for (const unknown of [":/etc/localtime", "Etc/Unknown", "Nowhere/Land"]) {
      process.env.TZ = unknown;
      const calendar = new Calendar();
      assert.equal(calendar.zone, "UTC", unknown);
      assert.equal(iso(calendar.midnight(at("2026-11-29T18:00:00Z"))), "2026-11-29T00:00:00.000Z");
      assert.equal(new Times(english, calendar.zone).format(at("2026-11-29T18:00:00Z"), "minute"), "06:00 PM");
    }
  } finally {
    if (own === undefined) delete process.env.TZ;
    else process.env.TZ = own;
  }
});
