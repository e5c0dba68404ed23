/** The cut as the page computes with it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as model from "../../studio/static/model.js";

const shot = (id, length, extra = {}) => ({
  shot_id: id, in: 0, out: length, num_frames: length, prompt: id, title: "", take: { num_frames: 17, media: id },
  params: { seed: 1 }, memory: { system: "frame_preservation", strength: null }, ...extra,
});
const CUT = [shot("a", 17), shot("b", 9), shot("c", 21)];
const ids = (shots) => shots.map((one) => one.shot_id).join("");

test("a shot that is told as its id is the very object that was there, unless it moved", () => {
  const before = CUT.map((one, index) => ({ ...one, start: [0, 17, 26][index] }));
  const changed = { ...before[1], title: "Dawn" };
  const after = model.withKnown(["a", changed, "c"], before);
  assert.equal(after[0], before[0]);
  assert.equal(after[1], changed);
  assert.equal(after[2], before[2]);
  const moved = model.withKnown(["c", "a"], before);
  assert.deepEqual(moved.map((one) => one.start), [0, 21]);
  assert.equal(before[2].start, 26);
});

test("starts are the running sum of lengths, and every frame is in the shot that shows it", () => {
  const starts = model.startsOf(CUT);
  assert.deepEqual(starts, [0, 17, 26, 47]);
  const seen = Array.from({ length: 47 }, (_, frame) => model.indexAt(starts, frame));
  assert.deepEqual(seen, [...Array(17).fill(0), ...Array(9).fill(1), ...Array(21).fill(2)]);
  assert.equal(model.indexAt(starts, 400), 2);
  assert.equal(model.indexAt(model.startsOf([]), 0), 0);
});

test("something dropped on a half of a shot goes to that side of it", () => {
  const starts = model.startsOf(CUT);
  assert.equal(model.insertionAt(starts, 3), 0);
  assert.equal(model.insertionAt(starts, 12), 1);
  assert.equal(model.insertionAt(starts, 46), 3);
  assert.equal(model.insertionAt([0], 5), 0);
});

test("moving shots keeps their order and loses none", () => {
  assert.equal(ids(model.reorder(CUT, ["c"], "a")), "cab");
  assert.equal(ids(model.reorder(CUT, ["a", "b"], null)), "cab");
  assert.equal(ids(model.reorder(CUT, ["b", "a"], null)), "cab");
  assert.equal(ids(model.reorder(CUT, ["a"], "missing")), "bca");
});

test("snapping takes the nearest point within reach, else nothing", () => {
  assert.equal(model.snap(18, [0, 17, 26], 2), 17);
  assert.equal(model.snap(20, [0, 17, 26], 2), 20);
  assert.equal(model.snap(21, [20, 22], 1), 22);
});

test("a trim stays inside of the take and leaves at least one frame", () => {
  const one = shot("a", 17, { in: 3, out: 12 });
  assert.deepEqual(model.trimmed(one, "in", -10), { in: 0, out: 12 });
  assert.deepEqual(model.trimmed(one, "in", 40), { in: 11, out: 12 });
  assert.deepEqual(model.trimmed(one, "out", 40), { in: 3, out: 17 });
  assert.deepEqual(model.trimmed(one, "out", -40), { in: 3, out: 4 });
});

test("a slip keeps the length and ends where the take does", () => {
  const one = shot("a", 17, { in: 3, out: 12 });
  assert.deepEqual(model.slipped(one, 2), { in: 5, out: 14 });
  assert.deepEqual(model.slipped(one, 40), { in: 8, out: 17 });
  assert.deepEqual(model.slipped(one, -40), { in: 0, out: 9 });
});

test("an end is bare where the take has no frame left to show", () => {
  assert.deepEqual(model.bareEnds(shot("a", 17)), ["in", "out"]);
  assert.deepEqual(model.bareEnds(shot("a", 17, { in: 3, out: 12 })), []);
  assert.deepEqual(model.bareEnds(shot("a", 17, { out: 12 })), ["in"]);
  assert.deepEqual(model.bareEnds(shot("a", 17, { take: null })), []);
});

test("lengths are those the model can make", () => {
  assert.deepEqual(model.legalLengths(4, 17), [5, 9, 13, 17]);
  for (const asked of [1, 6, 8, 11, 17, 90]) {
    assert.ok(model.legalLengths(4, 33).includes(model.nearestLength(asked, 4, 33)), `${asked}`);
  }
  assert.equal(model.nearestLength(8, 4, 33), 9);
});

test("the tile of a strip covers the frame, at both ends too", () => {
  assert.equal(model.tileAt(0, 17, 17), 0);
  assert.equal(model.tileAt(16, 17, 17), 16);
  assert.equal(model.tileAt(48, 49, 24), 23);
  assert.equal(model.tileAt(99, 17, 17), 16);
});

test("labels of the ruler never stand closer than they are wide", () => {
  for (const nominal of [8, 24, 25, 30]) {
    for (let scale = 0.02; scale < 64; scale *= 1.3) {
      assert.ok(model.rulerStep(scale, nominal) * scale >= 92 || scale < 0.05, `${scale} at ${nominal}`);
    }
  }
});

test("a range of shots is the same from either end", () => {
  assert.deepEqual(model.rangeOf(CUT, "a", "c"), ["a", "b", "c"]);
  assert.deepEqual(model.rangeOf(CUT, "c", "b"), ["b", "c"]);
  assert.deepEqual(model.rangeOf(CUT, "gone", "b"), ["b"]);
});

test("a mere number is no title: a moved shot is named by where it stands", () => {
  assert.equal(model.nameOf(shot("a", 5, { title: "4" }), 0), "Shot 1");
  assert.equal(model.nameOf(shot("a", 5, { title: "3a" }), 0), "3a");
  assert.equal(model.nameOf(shot("a", 5, { title: "Opening" }), 2), "Opening");
});
