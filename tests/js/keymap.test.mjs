/** Keys: every one has one meaning, and the browser keeps its own. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { chordOf, commandFor, keyOf, KEYMAP, RESERVED } from "../../studio/static/keymap.js";

const key = (name, extra = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...extra });

test("no key means two things, and none is taken from the browser", () => {
  const all = KEYMAP.flatMap((row) => row.keys);
  assert.equal(new Set(all).size, all.length);
  for (const taken of RESERVED) assert.ok(!all.includes(taken), taken);
});

test("a keyboard event is named as the table names it", () => {
  assert.equal(chordOf(key(" ")), "Space");
  assert.equal(chordOf(key("z", { ctrlKey: true })), "Ctrl+Z");
  assert.equal(chordOf(key("Z", { metaKey: true, shiftKey: true })), "Ctrl+Shift+Z");
  assert.equal(chordOf(key("?", { shiftKey: true })), "?");
  assert.equal(chordOf(key("≈", { altKey: true, code: "KeyX" })), "Alt+X");
  assert.equal(chordOf(key("ArrowLeft", { shiftKey: true })), "Shift+Left");
});

test("keys find their commands", () => {
  assert.equal(commandFor(key("j")), "backward");
  assert.equal(commandFor(key("Z", { shiftKey: true })), "fit");
  assert.equal(commandFor(key("z", { ctrlKey: true })), "undo");
  assert.equal(commandFor(key("x")), null);
  assert.equal(keyOf("split"), "B");
});

test("every command of the table can be run", () => {
  const text = readFileSync(new URL("../../studio/static/commands.js", import.meta.url), "utf8");
  const body = text.slice(text.indexOf("const COMMANDS"));
  for (const { command } of KEYMAP) assert.match(body, new RegExp(`^  ${command}[,:]`, "m"), command);
});
