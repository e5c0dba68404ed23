import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as words from "../../studio/static/words.js";

const VECTORS = JSON.parse(readFileSync(new URL("./words.json", import.meta.url)));
const INFO = {
  words: ["and", "at", "in", "jumps", "left", "mia", "night", "park", "right", "the", "walk", "walks"],
  vocabulary: [
    { title: "People", phrases: ["Mia"] },
    { title: "Actions", phrases: ["jumps", "walks left", "walks right", "walk"] },
    { title: "Places", phrases: ["in the park", "at night"] },
  ],
};
const ENTRIES = words.entriesOf(INFO);
const shown = (text, caret = text.length) => words.suggest(text, caret, ENTRIES)?.options.map((one) => one.text) ?? null;

test("unknown words are the same here as in Python", () => {
  for (const { text, words: known, unknown } of VECTORS) assert.deepEqual(words.unknownWords(text, known), unknown, text);
  assert.deepEqual(words.unknownWords("anything", undefined), []);
});

test("unknown words are found where they stand, whatever their case", () => {
  const text = "A Dragon, a dragonfly: dragon";
  assert.deepEqual(words.placesOf(text, ["dragon"]).map(([from, to]) => text.slice(from, to)), ["Dragon", "dragon"]);
  assert.deepEqual(words.placesOf(text, []), []);
});

test("distance counts letters, and two that are swapped as one", () => {
  assert.equal(words.distance("park", "park"), 0);
  assert.equal(words.distance("prak", "park"), 1);
  assert.equal(words.distance("pork", "parks"), 2);
  assert.equal(words.distance("dragon", "a", 2), 3);
  assert.equal(words.distance("abcdef", "uvwxyz", 2), 3);
});

test("near words are misspelt ones and those of the same stem, nearest first", () => {
  assert.deepEqual(words.nearWords("walsk", INFO.words), ["walk", "walks"]);
  assert.deepEqual(words.nearWords("walking", INFO.words), ["walk", "walks"]);
  assert.deepEqual(words.nearWords("jumping", INFO.words), ["jumps"]);
  assert.deepEqual(words.nearWords("dragon", INFO.words), []);
  assert.deepEqual(words.nearWords("prak", ["park", "pan", "pink"]), ["park"]);
  assert.deepEqual(words.nearWords("rides", ["wide"]), []);
  assert.equal(words.nearWords("walk", INFO.words, 1).length, 1);
});

test("every word can be suggested once, by its theme or alone", () => {
  const keys = ENTRIES.map((entry) => entry.key);
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(["mia", "walks left", "left", "and"].every((key) => keys.includes(key)));
  assert.deepEqual(words.entriesOf({ words: [] }), []);
});

test("what is typed goes on as words and as phrases", () => {
  assert.deepEqual(shown("mi"), ["Mia"]);
  assert.deepEqual(shown("Mia wal"), ["walks left", "walks right", "walk", "walks"]);
  assert.deepEqual(shown("Mia walks r"), ["walks right", "right"]);
  assert.deepEqual(shown("Mia jumps at n"), ["at night", "night"]);
  assert.deepEqual(shown("00:00:02:00 in the p"), ["in the park", "park"]);
});

test("nothing is suggested for what no word begins with, for numbers, or in the middle of a word", () => {
  assert.equal(shown("dra"), null);
  assert.equal(shown("00:00:02"), null);
  assert.equal(shown("mia "), null);
  assert.equal(shown("walks", 2), null);
  assert.equal(shown(""), null);
});

test("a suggestion begins where its first word was typed", () => {
  const { options } = words.suggest("Mia walks r", 11, ENTRIES);
  assert.deepEqual(options.map((one) => one.from), [4, 10]);
});

test("a finished word is known as one, so that leaving the field does not change it", () => {
  assert.equal(words.suggest("mia walk", 8, ENTRIES).isWhole, true);
  assert.equal(words.suggest("mia wal", 7, ENTRIES).isWhole, false);
});

test("a capital that was typed stays a capital", () => {
  assert.equal(words.written("walks left", "Wal"), "Walks left");
  assert.equal(words.written("walks left", "wal"), "walks left");
  assert.equal(words.written("Mia", "m"), "Mia");
});
