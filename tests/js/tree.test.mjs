/** The history as rows: every node once, branches beside each other. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ancestorsOf, historyRows } from "../../studio/static/tree.js";

const node = (id, parent) => ({ id, parent_id: parent, label: id });
const LINE = [node("a", null), node("b", "a"), node("c", "b")];
const FORKED = [...LINE, node("d", "b"), node("e", "d")];

test("a line without branches stays in one column", () => {
  const rows = historyRows(LINE, "c", "c");
  assert.deepEqual(rows.map((row) => row.node.id), ["c", "b", "a"]);
  assert.ok(rows.every((row) => row.column === 0 && !row.joining.length && !row.through.length));
  assert.deepEqual(rows.map((row) => row.place), ["head", "past", "past"]);
});

test("what was undone is ahead of the head", () => {
  const rows = historyRows(LINE, "b", "c");
  assert.deepEqual(rows.map((row) => row.place), ["ahead", "head", "past"]);
});

test("an edit after a rewind keeps the old future as a branch beside it", () => {
  const rows = historyRows(FORKED, "e", "e");
  const by = Object.fromEntries(rows.map((row) => [row.node.id, row]));
  assert.deepEqual(rows.map((row) => row.node.id), ["e", "d", "c", "b", "a"]);
  assert.equal(by.e.column, 0);
  assert.equal(by.c.column, 1);
  assert.equal(by.c.place, "other");
  assert.deepEqual(by.c.through, [0]);
  assert.deepEqual(by.b.joining, [1]);
  assert.equal(by.a.column, 0);
});

test("three branches from one node all join in it", () => {
  const nodes = [node("a", null), node("b", "a"), node("c", "a"), node("d", "a")];
  const rows = historyRows(nodes, "d", "d");
  assert.deepEqual(rows.at(-1).joining, [1, 2]);
  assert.equal(new Set(rows.slice(0, 3).map((row) => row.column)).size, 3);
});

test("a tree that points at itself does not hang the page", () => {
  assert.equal(ancestorsOf([node("a", "b"), node("b", "a")], "a").size, 2);
});

test("every one of a thousand steps with fifty branches gets its row", () => {
  const nodes = [{ id: "n0", parent_id: null }];
  for (let at = 1; at < 1000; at += 1) {
    nodes.push({ id: `n${at}`, parent_id: `n${at % 20 === 0 ? Math.floor(at / 2) : at - 1}` });
  }
  const rows = historyRows(nodes, "n999", "n999");
  assert.equal(new Set(rows.map((row) => row.node.id)).size, 1000);
  assert.equal(rows[0].place, "head");
  assert.ok(rows.at(-1).hasChild);
  assert.ok(!rows.at(-1).hasParent);
});

test("above the tip nothing is drawn in its column", () => {
  const rows = historyRows(FORKED, "c", "c");
  assert.deepEqual(rows.map((row) => row.node.id), ["e", "d", "c", "b", "a"]);
  assert.deepEqual(rows[0].through, []);
  assert.deepEqual(rows.at(-1).through, []);
});
