/** Edits ahead of the server: shown at once, sent again only where they still mean the same. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { applyEdit, stillApplies } from "../../studio/static/edits.js";
import { lengthOf } from "../../studio/static/model.js";

const shot = (id, length, extra = {}) => ({
  shot_id: id, in: 0, out: length, num_frames: length, prompt: id, title: "", take: { num_frames: 17, media: id },
  params: { seed: 1 }, memory: { system: "frame_preservation", strength: null }, ...extra,
});
const CUT = [shot("a", 17), shot("b", 9), shot("c", 21)];
const after = (shots, op) => applyEdit({ shots, markers: [] }, op)?.shots ?? null;
const applies = (op, before, now) => stillApplies(op, { shots: before }, { shots: now });
const ids = (shots) => shots.map((one) => one.shot_id).join("");

test("an edit is shown before the server answers and leaves the old cut alone", () => {
  const before = JSON.stringify(CUT);
  assert.equal(ids(after(CUT, { kind: "delete", shot_ids: ["b"] })), "ac");
  const trim = after(CUT, { kind: "trim", shot_id: "a", in: 2, out: 5 });
  assert.deepEqual([trim[0].in, trim[0].out], [2, 5]);
  const set = after(CUT, { kind: "set", shot_id: "b", fields: { seed: 7, strength: 0, prompt: "x" } });
  assert.deepEqual([set[1].params.seed, set[1].memory.strength, set[1].prompt], [7, 0, "x"]);
  assert.equal(after(CUT, { kind: "pick_take", shot_id: "a", take_id: "t" }), null);
  assert.equal(JSON.stringify(CUT), before);
});

test("a new length also changes the place of a shot without a take, and only of that", () => {
  const draft = [shot("a", 17, { take: null }), shot("b", 17)];
  const op = (id) => ({ kind: "set", shot_id: id, fields: { num_frames: 9 } });
  assert.equal(lengthOf(after(draft, op("a"))[0]), 9);
  assert.equal(lengthOf(after(draft, op("b"))[1]), 17);
});

test("a refused edit is sent again only where nobody changed what it changes", () => {
  const renamed = after(CUT, { kind: "set", shot_id: "a", fields: { prompt: "other" } });
  const gone = CUT.filter((one) => one.shot_id !== "a");
  const prompt = { kind: "set", shot_id: "a", fields: { prompt: "mine" } };
  assert.ok(applies(prompt, CUT, after(CUT, { kind: "set", shot_id: "b", fields: { seed: 5 } })));
  assert.ok(!applies(prompt, CUT, renamed));
  assert.ok(!applies(prompt, CUT, gone));
  const trim = { kind: "trim", shot_id: "a", in: 0, out: 5 };
  assert.ok(applies(trim, CUT, renamed));
  assert.ok(!applies(trim, CUT, after(CUT, { kind: "trim", shot_id: "a", in: 1, out: 9 })));
  assert.ok(!applies({ kind: "move", shot_ids: ["b"], before: "a" }, CUT, gone));
});

test("forgetting a shot is shown at once, and only in the shot that forgets", () => {
  const op = { kind: "set_memory", shot_id: "c", pins: [], forgotten: ["a"] };
  const now = after(CUT, op);
  assert.deepEqual(now.map((one) => one.memory.forgotten ?? []), [[], [], ["a"]]);
  assert.equal(now[2].memory.system, "frame_preservation");
});

test("a marker edit is sent again only where its marker is the same and its place is free", () => {
  const cut = (...markers) => ({ shots: CUT, markers: markers.map(([frame, label]) => ({ frame, label })) });
  const seen = cut([3, "a"], [9, "b"]);
  const move = { kind: "move_marker", frame: 3, to: 5 };
  assert.ok(stillApplies(move, seen, cut([3, "a"])));
  assert.ok(!stillApplies(move, seen, cut([9, "b"])));
  assert.ok(!stillApplies(move, seen, cut([3, "other"])));
  assert.ok(!stillApplies(move, seen, cut([3, "a"], [5, "c"])));
  assert.ok(!stillApplies({ kind: "add_marker", frame: 9, label: "" }, cut(), seen));
  assert.ok(stillApplies({ kind: "delete_markers", frames: [3, 9] }, seen, seen));
  assert.ok(!stillApplies({ kind: "delete_markers", frames: [3, 9] }, seen, cut([3, "a"])));
});

test("emptying is sent again only while the shot shows the same take, and waits for the model's facts", () => {
  const op = { kind: "clear", shot_ids: ["a"] };
  const taken = [shot("a", 17, { take: { take_id: "t1", num_frames: 17 } })];
  assert.ok(applies(op, taken, taken));
  assert.ok(!applies(op, taken, [shot("a", 17, { take: { take_id: "t2", num_frames: 17 } })]));
  assert.equal(applyEdit({ shots: taken }, op), null);
});
