import assert from "node:assert/strict";
import { test } from "node:test";
import { allEffects, effectAt, NOT_MEASURED } from "../../studio/static/strength.js";

const EFFECTS = [
  { strength: 2, figure: "looks kept", value: 91.5, unit: "%" },
  { strength: 1, figure: "looks kept", value: 80, unit: "%" },
  { strength: 2, figure: "recall", value: 22.4, unit: "dB" },
];

test("a strength says what was measured nearest to it", () => {
  assert.equal(effectAt(EFFECTS, 1.9), "Measured at 2: looks kept 91.5 %, recall 22.4 dB.");
  assert.equal(effectAt(EFFECTS, 0), "Measured at 1: looks kept 80 %.");
});

test("everything measured stands in order of strength", () => {
  assert.deepEqual(allEffects(EFFECTS).split("\n").slice(1), ["1: looks kept 80 %", "2: looks kept 91.5 %, recall 22.4 dB"]);
});

test("a model that was not measured says so", () => {
  for (const nothing of [[], undefined]) {
    assert.equal(effectAt(nothing, 1), NOT_MEASURED);
    assert.equal(allEffects(nothing), NOT_MEASURED);
  }
});
