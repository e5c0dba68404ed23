/** The words of the model by theme, to browse, find and insert; and what it does not know, named. */

import { button, fill, h, setText } from "./dom.js";
import { sheet } from "./style.js";
import { entriesOf, nearWords } from "./words.js";

const MOST_NAMED = 4;

export const paletteStyles = sheet(`
.palette summary { cursor: pointer; color: var(--mn-dim); font-size: 12px; }
.palette summary:hover { color: var(--mn-text); }
.palette .groups { max-height: 190px; overflow: auto; display: grid; gap: 6px; padding: 2px; margin-top: 6px; }
.palette .groups > div { display: grid; grid-template-columns: 92px minmax(0, 1fr); gap: 8px; align-items: baseline; }
.palette .groups h4 { margin: 0; font-size: 12px; font-weight: 500; color: var(--mn-dim); }
.palette .phrases { display: flex; flex-wrap: wrap; gap: 4px; }
.palette .phrases button { min-height: 24px; padding: 0 7px; font-size: 12px; border-color: transparent; }
.palette input { width: 100%; margin-top: 8px; }
.unknown { font-size: 12px; display: grid; gap: 4px; }
.unknown:empty { display: none; }
.unknown p { line-height: 1.5; overflow-wrap: anywhere; }
.unknown b { color: var(--mn-warn); font-weight: 600; }
.unknown button { min-height: 22px; padding: 0 7px; font-size: 12px; vertical-align: baseline; margin-left: 4px; }
`);

/** A folded list of every word, which calls `insert(text)` with the one that is pressed. */
export class Palette {
  #shown = null;

  constructor(insert) {
    this.insert = insert;
    this.summary = h("summary", {});
    this.find = h("input", {
      type: "search", placeholder: "Find a word", "aria-label": "Find a word of the model", on: { input: () => this.#filter() },
    });
    this.groups = h("div", { class: "groups" });
    this.none = h("p", { class: "dim small", hidden: true }, "No word like that. The model knows only these.");
    this.element = h("details", { class: "palette", hidden: true }, this.summary, this.find, this.none, this.groups);
  }

  /** Show what the model `info` knows; an open vocabulary has no palette. */
  show(info) {
    if (this.#shown === info) return;
    this.#shown = info;
    const entries = info?.words?.length ? entriesOf(info) : [];
    this.element.hidden = !entries.length;
    setText(this.summary, `Words the model knows (${info?.words?.length ?? 0})`);
    const titles = [...new Set(entries.map((entry) => entry.group))];
    fill(this.groups, titles.map((title) => h("div", { role: "group", "aria-label": title || "Words" },
      h("h4", {}, title || "Words"), h("div", { class: "phrases" },
        entries.filter((entry) => entry.group === title).map((entry) => button(entry.text, () => this.insert(entry.text)))))));
    this.#filter();
  }

  #filter() {
    const wanted = this.find.value.trim().toLowerCase();
    let found = 0;
    for (const group of this.groups.children) {
      const isTheme = group.getAttribute("aria-label").toLowerCase().startsWith(wanted);
      let inGroup = 0;
      for (const one of group.querySelectorAll("button")) {
        one.hidden = Boolean(wanted) && !isTheme && !one.textContent.toLowerCase().includes(wanted);
        inGroup += one.hidden ? 0 : 1;
      }
      group.hidden = !inGroup;
      found += inGroup;
    }
    this.none.hidden = found > 0;
  }
}

/**
 * Say which words the model lacks and what it does with them: all of them are one and the same
 * blank to its tokenizer, which no training text ever held. `exchange(word, near)` mends one.
 */
export function nameUnknown(element, words, vocabulary, exchange) {
  const key = words.join(" ");
  if (element.dataset.words === key) return;
  element.dataset.words = key;
  const shown = words.slice(0, MOST_NAMED);
  const lines = shown.map((word) => {
    const near = nearWords(word, vocabulary);
    return h("p", {}, "The model does not know ", h("b", {}, `“${word}”`), ".",
      near.length ? " Did you mean " : null, near.map((one) => button(one, () => exchange(word, one), { "aria-label": `Use ${one} instead of ${word}` })));
  });
  const rest = words.length - shown.length;
  fill(element, lines, rest > 0 ? h("p", {}, `And ${rest} more.`) : null,
    words.length ? h("p", { class: "dim" }, "In the place of an unknown word it reads a blank that it was never trained on. Do not expect it in the picture.") : null);
}
