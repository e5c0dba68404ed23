/** Timecode of the page: the same frames, written and read. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, duration, format, nominalRate, parse, seconds } from "../../studio/static/timecode.js";

const RATES = [[8, 1], [24, 1], [25, 1], [30000, 1001], [24000, 1001], [60, 1]];

test("writing and reading a frame gives the frame back at every rate", () => {
  for (const rate of RATES) {
    for (const frame of [0, 1, 7, 8, 23, 24, 59, 60, 1799, 107892, 999999]) {
      assert.equal(parse(format(frame, rate), rate), frame, `frame ${frame} at ${rate}`);
    }
  }
});

test("a frame is written as hours, minutes, seconds and frames", () => {
  assert.equal(format(8 * 3661 + 5, [8, 1]), "01:01:01:05");
  assert.equal(format(-3, [8, 1]), "00:00:00:00");
});

test("an editor may type less than the whole timecode", () => {
  assert.equal(parse("5", [8, 1]), 40);
  assert.equal(parse("1:05", [8, 1]), 520);
  assert.equal(parse("1:00:00", [8, 1]), 28800);
  assert.equal(parse(" 00:00:02:01 ", [8, 1]), 17);
  assert.equal(parse("12.", [8, 1]), 96);
  assert.equal(parse("1:05.", [8, 1]), 520);
});

test("plus and minus count frames from the playhead, never before the start", () => {
  assert.equal(parse("+12", [8, 1], 30), 42);
  assert.equal(parse("-12", [8, 1], 30), 18);
  assert.equal(parse("-12", [8, 1], 3), 0);
  assert.equal(parse("+2.", [8, 1], 30), 46);
  assert.equal(parse("-1:00", [8, 1], 500), 20);
});

test("what is not a time is refused", () => {
  for (const text of ["", "two", "1:2:3:4:5", "00:00:00:08", "1.5", "::", "+", ".", "+-3", "1:-5"]) {
    assert.equal(parse(text, [8, 1]), null, text);
  }
});

test("a rate such as 29.97 counts 30 frames to a second of timecode", () => {
  assert.equal(nominalRate([30000, 1001]), 30);
  assert.ok(Math.abs(seconds(30000, [30000, 1001]) - 1001) < 1e-9);
});

test("lengths and ages are written as people say them", () => {
  assert.equal(duration(2.125), "2.1 s");
  assert.equal(duration(65), "1 min 05 s");
  assert.equal(duration(3720), "1 h 02 min");
  const now = Date.parse("2026-05-01T12:00:00Z");
  assert.equal(ago("2026-05-01T11:59:40Z", now), "just now");
  assert.equal(ago("2026-05-01T11:30:00Z", now), "30 min ago");
  assert.equal(ago("2026-04-30T09:00:00Z", now), "yesterday");
  assert.equal(ago("2026-01-02T09:00:00Z", now), "2026-01-02");
  assert.equal(ago("not a date", now), "");
});
