/** What the page shows ahead of the server is what the server will say: the same vectors, both. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { applyEdit } from "../../studio/static/edits.js";

const { facts, cases } = JSON.parse(readFileSync(new URL("./edits.json", import.meta.url), "utf8"));

// The server writes a missing take as no id; the page may leave the id out.
const picture = ({ take_id: _, ...shot }) => shot;

for (const { name, op, before, after } of cases) {
  test(`the page and the server agree: ${name}`, () => {
    const given = JSON.stringify(before);
    const { shots, markers } = applyEdit(before, op, facts);
    assert.deepEqual({ shots: shots.map(picture), markers }, { shots: after.shots.map(picture), markers: after.markers });
    assert.equal(JSON.stringify(before), given);
  });
}
