import assert from "node:assert/strict";
import { test } from "node:test";
import { listed } from "../../studio/static/films.js";

const film = (name, updated, created, frames, rate = [8, 1]) => ({ name, updated_at: updated, created_at: created, frames, rate });
const FILMS = [
  film("Mia 10", "2026-01-01T10:00:00Z", "2026-01-01T09:00:00Z", 40),
  film("mia 2", "2026-01-03T10:00:00Z", "2026-01-01T08:00:00Z", 60, [24, 1]),
  film("Two friends", "2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z", 16),
];
const names = (wanted, order) => listed(FILMS, wanted, order).map((one) => one.name);

test("films stand in the order that was chosen, the last changed first by default", () => {
  assert.deepEqual(names("", "changed"), ["mia 2", "Two friends", "Mia 10"]);
  assert.deepEqual(names("", "unknown"), names("", "changed"));
  assert.deepEqual(names("", "name"), ["mia 2", "Mia 10", "Two friends"]);
  assert.deepEqual(names("", "made"), ["Two friends", "Mia 10", "mia 2"]);
});

test("the longest film is the one that plays longest, whatever its rate", () => {
  assert.deepEqual(names("", "longest"), ["Mia 10", "mia 2", "Two friends"]);
});

test("a film is found by any of its words, whatever their case", () => {
  assert.deepEqual(names("  MIA ", "name"), ["mia 2", "Mia 10"]);
  assert.deepEqual(names("friends two", "name"), ["Two friends"]);
  assert.deepEqual(names("nobody", "name"), []);
});

test("the list that was given stays as it was", () => {
  const before = FILMS.map((one) => one.name);
  names("", "name");
  assert.deepEqual(FILMS.map((one) => one.name), before);
});
