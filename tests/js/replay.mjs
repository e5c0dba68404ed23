/** Reads `[{before, op, facts}]` from the standard input and writes what the page shows after each. */

import { readFileSync } from "node:fs";

import { applyEdit } from "../../studio/static/edits.js";

const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(({ before, op, facts }) => applyEdit(before, op, facts))));
