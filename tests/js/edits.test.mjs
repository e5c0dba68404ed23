/** What the page shows ahead of the server is what the server will say: the same vectors, both. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { applyOp } from "../../studio/static/model.js";

const cases = JSON.parse(readFileSync(new URL("./edits.json", import.meta.url), "utf8"));

for (const { name, op, before, after } of cases) {
  test(`the page and the server agree: ${name}`, () => {
    assert.deepEqual(applyOp(before, op), after);
  });
}
