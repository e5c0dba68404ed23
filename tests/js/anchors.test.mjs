/** Ranges, variations and pins as the page words them; ranges are the same as in Python. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { madeWords, markedFrames, pinWords, redoneRange, strengthWords } from "../../studio/static/anchors.js";

const vectors = JSON.parse(readFileSync(new URL("ranges.json", import.meta.url), "utf8"));

test("a range grows to whole latent frames", () => {
  for (const { in: from, out, length, redone } of vectors) {
    const found = redoneRange(from, out, length);
    assert.deepEqual([found.in, found.out], redone);
  }
});

test("marks of the timeline become frames of the take, cut to the shot", () => {
  const shot = { in: 3, out: 13 };
  assert.deepEqual(markedFrames(shot, 20, { in: 22, out: 24 }), { in: 5, out: 8 });
  assert.deepEqual(markedFrames(shot, 20, { in: 0, out: 21 }), { in: 3, out: 5 });
  assert.deepEqual(markedFrames(shot, 20, { in: 28, out: null }), { in: 11, out: 13 });
  assert.equal(markedFrames(shot, 20, { in: null, out: null }), null);
  assert.equal(markedFrames(shot, 20, { in: 30, out: 40 }), null);
});

test("a take says what it was made from", () => {
  const base = { number: 2, in: 5, out: 13, strength: 1 };
  assert.deepEqual(madeWords({ base }, 17), ["frames 5 to 12 of take 2 made anew"]);
  const varied = { number: null, in: 0, out: 17, strength: 0.4 };
  assert.deepEqual(madeWords({ base: varied, end: {} }, 17),
    ["40 % variation of a take that is gone", "lands on a pinned frame"]);
  assert.deepEqual(madeWords({ base: { ...base, out: 6, strength: 0.3 } }, 17),
    ["frame 5 of take 2 made anew, 30 % far"]);
  assert.deepEqual(madeWords({}, 17), []);
});

test("pins and strengths have words", () => {
  assert.equal(pinWords(null, true, () => ""), "");
  assert.equal(pinWords({ source: "neighbour" }, false, () => ""), "First frame of the next shot");
  assert.equal(pinWords({ source: "take", take_id: "t", frame: 3 }, true, () => "Shot 1, take 2"), "Frame 3 of Shot 1, take 2");
  const words = [0.1, 0.3, 0.6, 0.9, 1].map(strengthWords);
  assert.equal(new Set(words).size, 5);
});
