/** Keys: in every preset each has one meaning, and the browser keeps its own. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { chordOf, commandFor, keyOf, PRESETS, RESERVED, rowsOf, usePreset, withKey } from "../../studio/static/keymap.js";
import { COMMANDS } from "../../studio/static/keytable.js";

const key = (name, extra = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...extra });
const MODIFIERS = ["Ctrl", "Alt", "Shift"];

for (const preset of Object.keys(PRESETS)) {
  const rows = rowsOf(preset);

  test(`${preset}: no chord means two things, and none is taken from the browser`, () => {
    const all = rows.flatMap((row) => row.keys);
    assert.deepEqual(all.filter((chord, at) => all.indexOf(chord) !== at), []);
    assert.deepEqual(all.filter((chord) => RESERVED.includes(chord)), []);
  });

  test(`${preset}: every command has a key, and every chord can be typed`, () => {
    for (const { command, keys } of rows) {
      assert.ok(keys.length, command);
      for (const chord of keys) {
        // "Ctrl++" ends in the key itself.
        const parts = chord.endsWith("+") ? [...chord.slice(0, -1).split("+").filter(Boolean), "+"] : chord.split("+");
        const order = parts.slice(0, -1).map((part) => MODIFIERS.indexOf(part));
        assert.ok(order.every((place, at) => place >= 0 && (at === 0 || place > order[at - 1])), chord);
        // A symbol already holds its Shift, so that one more would never be heard.
        if (parts.includes("Shift")) assert.match(parts.at(-1), /^[A-Z]|\w{2,}$/, chord);
      }
    }
  });
}

test("a preset names only commands' own keys and the presets there are", () => {
  for (const { group, command, title, keys, ...others } of COMMANDS) {
    assert.ok(group && command && title && keys);
    assert.deepEqual(Object.keys(others).filter((name) => !(name in PRESETS)), [], command);
  }
});

test("another preset changes what keys do and what tooltips say, and back", () => {
  usePreset("premiere");
  assert.equal(commandFor(key("Delete")), "clear");
  assert.equal(commandFor(key("Delete", { shiftKey: true })), "remove");
  assert.equal(commandFor(key("k", { ctrlKey: true })), "split");
  assert.equal(keyOf("snapping"), "S");
  usePreset("resolve");
  assert.equal(commandFor(key("{", { ctrlKey: true, shiftKey: true })), "trimStart");
  assert.equal(withKey("Trim", "trimStart"), "Trim (Ctrl+Shift+[)");
  usePreset("nonsense");
  assert.equal(commandFor(key("Delete")), "remove");
  assert.equal(commandFor(key("Backspace")), "clear");
});

test("a keyboard event is named as the table names it", () => {
  assert.equal(chordOf(key(" ")), "Space");
  assert.equal(chordOf(key("Escape")), "Esc");
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
  assert.equal(commandFor(key("z")), null);
  assert.equal(keyOf("split"), "B");
});

test("every command of the table can be run", () => {
  const text = readFileSync(new URL("../../studio/static/commands.js", import.meta.url), "utf8");
  const body = text.slice(text.indexOf("const COMMANDS"));
  for (const { command } of COMMANDS) assert.match(body, new RegExp(`^  ${command}[,:]`, "m"), command);
});

const page = readFileSync(new URL("../../docs/keys.md", import.meta.url), "utf8");
const cells = (line) => line.split("|").slice(1, -1).map((cell) => cell.trim());
const lines = page.split("\n").filter((line) => line.startsWith("| ") && line.includes("`"));
const told = new Map(lines.map(cells).map(([title, ...rest]) => [title, rest]));

test("docs/keys.md has every command with its keys in each preset, and nothing else", () => {
  assert.equal(told.size, COMMANDS.length);
  for (const [column, preset] of Object.keys(PRESETS).entries()) {
    for (const { title, keys } of rowsOf(preset)) {
      const found = [...(told.get(title)?.[column] ?? "").matchAll(/`([^`]+)`/g)].map(([, chord]) => chord);
      assert.deepEqual(found, keys, `${title}, ${preset}`);
    }
  }
});

test("every command has a mouse way in docs/keys.md, and those of the lane are on a button or in a menu", () => {
  const folder = new URL("../../studio/static/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".js") && !/^(key|commands)/.test(name));
  const text = files.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  for (const { group, command, title } of COMMANDS) {
    const [, , , mouse, api] = told.get(title);
    assert.ok(mouse && api, title);
    const isOnLane = ["Edit", "Marks"].includes(group) && api !== "view only";
    if (isOnLane) assert.ok(text.includes(`"${command}"`), `${command} has no button and no line of a menu`);
  }
});
