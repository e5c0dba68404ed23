/** Which ends of jobs are told of, and the page's title while they run. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { awaited, Endings, LONG_MS, titleFor } from "../../studio/static/endings.js";

const job = (id, state, more = {}) => ({ id, state, kind: "generate", done: 0, ...more });

test("only a job that ran long is told of, once, and not one that was cancelled", () => {
  const endings = new Endings();
  endings.hear([job("short", "running"), job("long", "running"), job("stopped", "running")], 0);
  assert.deepEqual(endings.hear([job("short", "done")], LONG_MS - 1), []);
  endings.hear([job("long", "running", { done: 0.5 })], LONG_MS);
  assert.deepEqual(endings.hear([job("long", "failed"), job("stopped", "cancelled")], LONG_MS).map((one) => one.id), ["long"]);
  assert.deepEqual(endings.hear([job("long", "failed")], 3 * LONG_MS), []);
});

test("the end of a long queue is told of when nothing waits any more", () => {
  const endings = new Endings();
  assert.equal(endings.isQueueDone([job("a", "running"), job("b", "queued")], 0), false);
  assert.equal(endings.isQueueDone([job("b", "queued")], LONG_MS), false);
  assert.equal(endings.isQueueDone([job("b", "running")], LONG_MS), false);
  assert.equal(endings.isQueueDone([], LONG_MS), true);
  assert.equal(endings.isQueueDone([], 2 * LONG_MS), false);
});

test("looks into memory and checks are nobody's wait", () => {
  const jobs = [job("r", "running", { kind: "recall" }), job("c", "queued", { kind: "lint" }), job("f", "failed")];
  assert.deepEqual(awaited(jobs), []);
});

test("the title says how far the running job is, how many wait, and the film", () => {
  assert.equal(titleFor("Rain", []), "Rain · Mnemoreel");
  assert.equal(titleFor("", []), "Mnemoreel");
  assert.equal(titleFor("Rain", [job("a", "queued")]), "Rain · Mnemoreel");
  const active = [job("a", "running", { done: 0.384 }), job("b", "queued"), job("c", "queued")];
  assert.equal(titleFor("Rain", active), "38 % +2 · Rain · Mnemoreel");
});
