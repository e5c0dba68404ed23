/** Keys and what they do, in three presets: one table for the listener, the help and docs/keys.md. */

import { COMMANDS } from "./keytable.js";

/** Presets with the names an editor knows them by; the first is the one a new library has. */
export const PRESETS = { mnemoreel: "Mnemoreel", resolve: "Resolve", premiere: "Premiere" };

/** Keys that belong to the browser or the system, which a page cannot or must not take: never bound. */
export const RESERVED = [
  "Ctrl+W", "Ctrl+T", "Ctrl+N", "Ctrl+R", "Ctrl+L", "Ctrl+Shift+W", "Ctrl+Shift+T", "Ctrl+Shift+N", "Ctrl+Shift+R",
  "Ctrl+Tab", "Ctrl+Shift+Tab", "Ctrl+PageUp", "Ctrl+PageDown", "Alt+F4", "Alt+Left", "Alt+Right", "Alt+Home",
  "Tab", "Shift+Tab", "F5", "Ctrl+F5", "F6", "F11", "F12", "Ctrl+Shift+I", "Ctrl+Shift+J", "Ctrl+Q", "Ctrl+C", "Ctrl+V", "Ctrl+X",
];

/** Rows of the table with the keys of one preset. */
export function rowsOf(preset) {
  return COMMANDS.map(({ group, command, title, keys, ...others }) => (
    { group, command, title, keys: others[preset] ?? keys }));
}

const tables = new Map(Object.keys(PRESETS).map((preset) => [preset, rowsOf(preset)]));
let rows = tables.get("mnemoreel");
let commands = new Map();

/** Take the keys of a preset from now on; an unknown one is the studio's own. */
export function usePreset(preset) {
  rows = tables.get(preset) ?? tables.get("mnemoreel");
  commands = new Map(rows.flatMap((row) => row.keys.map((keys) => [keys, row.command])));
}

usePreset("mnemoreel");

const NAMES = {
  " ": "Space", ArrowLeft: "Left", ArrowRight: "Right", ArrowUp: "Up", ArrowDown: "Down", Escape: "Esc",
};

/** What a keyboard event is called in the table, such as `Ctrl+Shift+Z`. */
export function chordOf(event) {
  const letter = event.altKey && /^Key[A-Z]$/.test(event.code ?? "") ? event.code[3] : event.key;
  const key = NAMES[letter] ?? (letter.length === 1 ? letter.toUpperCase() : letter);
  // Shift is part of what a symbol key writes ("?" is Shift+/), so it only counts for the others.
  const shift = event.shiftKey && (key.length > 1 || /[A-Z]/.test(key));
  const parts = [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", shift && "Shift"];
  return [...parts.filter(Boolean), key].join("+");
}

/** Name of the command for a keyboard event, or null. */
export function commandFor(event) {
  return commands.get(chordOf(event)) ?? null;
}

const WRITTEN = { "Ctrl+{": "Ctrl+Shift+[", "Ctrl+}": "Ctrl+Shift+]", "Ctrl++": "Ctrl+Shift+=" };

/** How a chord is written for people: symbols by the keys that make them. */
export function written(chord) {
  return WRITTEN[chord] ?? chord;
}

/** First key of a command in the preset in use, for a tooltip; empty where it has none. */
export function keyOf(command) {
  return written(rows.find((row) => row.command === command)?.keys[0] ?? "");
}

/** A button's label with its key, where it has one. */
export function withKey(label, command) {
  const key = keyOf(command);
  return key ? `${label} (${key})` : label;
}
