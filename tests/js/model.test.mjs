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

test("lengths are those the model can make", () => {
  assert.deepEqual(model.legalLengths(4, 17), [5, 9, 13, 17]);
  for (const asked of [1, 6, 8, 11, 17, 90]) {
    assert.ok(model.legalLengths(4, 33).includes(model.nearestLength(asked, 4, 33)), `${asked}`);
  }
  assert.equal(model.nearestLength(8, 4, 33), 9);
});

test("an edit is shown before the server answers and leaves the old cut alone", () => {
  const before = JSON.stringify(CUT);
  assert.equal(ids(model.applyOp(CUT, { kind: "delete", shot_ids: ["b"] })), "ac");
  const trim = model.applyOp(CUT, { kind: "trim", shot_id: "a", in: 2, out: 5 });
  assert.deepEqual([trim[0].in, trim[0].out], [2, 5]);
  const set = model.applyOp(CUT, { kind: "set", shot_id: "b", fields: { seed: 7, strength: 0, prompt: "x" } });
  assert.deepEqual([set[1].params.seed, set[1].memory.strength, set[1].prompt], [7, 0, "x"]);
  assert.equal(model.applyOp(CUT, { kind: "pick_take", shot_id: "a", take_id: "t" }), null);
  assert.equal(JSON.stringify(CUT), before);
});

test("a new length also changes the place of a shot without a take, and only of that", () => {
  const draft = [shot("a", 17, { take: null }), shot("b", 17)];
  const op = (id) => ({ kind: "set", shot_id: id, fields: { num_frames: 9 } });
  assert.equal(model.lengthOf(model.applyOp(draft, op("a"))[0]), 9);
  assert.equal(model.lengthOf(model.applyOp(draft, op("b"))[1]), 17);
});

test("a refused edit is sent again only where nobody changed what it changes", () => {
  const renamed = model.applyOp(CUT, { kind: "set", shot_id: "a", fields: { prompt: "other" } });
  const gone = CUT.filter((one) => one.shot_id !== "a");
  const prompt = { kind: "set", shot_id: "a", fields: { prompt: "mine" } };
  assert.ok(model.stillApplies(prompt, CUT, model.applyOp(CUT, { kind: "set", shot_id: "b", fields: { seed: 5 } })));
  assert.ok(!model.stillApplies(prompt, CUT, renamed));
  assert.ok(!model.stillApplies(prompt, CUT, gone));
  const trim = { kind: "trim", shot_id: "a", in: 0, out: 5 };
  assert.ok(model.stillApplies(trim, CUT, renamed));
  assert.ok(!model.stillApplies(trim, CUT, model.applyOp(CUT, { kind: "trim", shot_id: "a", in: 1, out: 9 })));
  assert.ok(!model.stillApplies({ kind: "move", shot_ids: ["b"], before: "a" }, CUT, gone));
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

test("words are unknown only to a model with a vocabulary, and case does not matter", () => {
  assert.deepEqual(model.unknownWords("Mia rides a Dragon, a dragon", ["mia", "a"]), ["rides", "dragon"]);
  assert.deepEqual(model.unknownWords("anything at all", []), []);
  assert.deepEqual(model.unknownWords("anything", undefined), []);
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

test("forgetting a shot is shown at once, and only in the shot that forgets", () => {
  const op = { kind: "set_memory", shot_id: "c", pins: [], forgotten: ["a"] };
  const after = model.applyOp(CUT, op);
  assert.deepEqual(after.map((one) => one.memory.forgotten ?? []), [[], [], ["a"]]);
  assert.equal(after[2].memory.system, "frame_preservation");
});
