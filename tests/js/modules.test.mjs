/** Every import of the page names something that its module exports, and every file is short. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../studio/static/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".js"));
const source = new Map(files.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));

function exportsOf(text) {
  const declared = [...text.matchAll(/^export (?:async )?(?:function|class|const|let) (\w+)/gm)];
  return new Set(declared.map(([, name]) => name));
}

test("every import names something that exists, and something that is used", () => {
  for (const [name, text] of source) {
    for (const [, list, , from] of text.matchAll(/^import (\{([^}]*)\}|\* as \w+) from "\.\/([^"]+)"/gm)) {
      assert.ok(source.has(from), `${name} imports ${from}, which does not exist`);
      if (!list.startsWith("{")) continue;
      for (const part of list.slice(1, -1).split(",").map((one) => one.trim()).filter(Boolean)) {
        assert.ok(exportsOf(source.get(from)).has(part), `${name} imports ${part} from ${from}`);
        const uses = text.match(new RegExp(`\\b${part}\\b`, "g")).length;
        assert.ok(uses > 1, `${name} imports ${part} and does not use it`);
      }
    }
  }
});

test("data never becomes markup", () => {
  for (const [name, text] of source) {
    const risky = text.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
    assert.equal(risky, null, `${name} uses ${risky?.[0]}`);
  }
});

test("files have at most 400 lines and say in the first line what they are", () => {
  for (const [name, text] of source) {
    assert.ok(text.split("\n").length <= 401, `${name} is too long`);
    assert.match(text, /^\/\*\*/, `${name} does not say what it is`);
  }
});
