/** A field for prompts: words of the model as one types, and underlined what it does not know. */

import { fill, h, setText } from "./dom.js";
import { sheet } from "./style.js";
import { placesOf, suggest, written } from "./words.js";

// Beyond this a text is neither underlined nor completed: each key press would lay it out again.
const MOST_CHARACTERS = 20_000;
const SAME_BOX = ["font", "lineHeight", "letterSpacing", "padding", "borderWidth", "textIndent", "tabSize"];

export const promptStyles = sheet(`
.promptfield { position: relative; display: grid; min-height: 0; }
.promptfield textarea { width: 100%; }
.promptfield .mirror { position: absolute; left: 0; top: 0; bottom: 0; overflow: hidden; pointer-events: none; color: transparent; border: 0 solid transparent; white-space: pre-wrap; overflow-wrap: break-word; z-index: 1; }
.promptfield .mirror u { text-decoration: underline wavy var(--mn-warn); text-decoration-skip-ink: none; text-underline-offset: 2px; }
.suggestions { position: fixed; inset: auto; margin: 0; padding: 4px; list-style: none; min-width: 190px; max-width: 340px; max-height: 260px; overflow: auto; color: var(--mn-text); background: var(--mn-panel); border: 1px solid var(--mn-line-strong); border-radius: 6px; box-shadow: 0 8px 24px var(--mn-shadow); font: 13px/1.4 var(--mn-font); }
.suggestions li { display: flex; justify-content: space-between; gap: 16px; padding: 3px 8px; border-radius: 4px; cursor: pointer; white-space: nowrap; }
.suggestions li[aria-selected="true"] { background: var(--mn-accent-soft); color: var(--mn-accent); }
.suggestions li:hover { background: var(--mn-hover); }
.suggestions span { color: var(--mn-dim); font-size: 12px; }
`);

let made = 0;

/** Text nodes of `element` with the offset at which each begins. */
function* textsOf(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let offset = 0;
  while (walker.nextNode()) {
    yield [walker.currentNode, offset];
    offset += walker.currentNode.length;
  }
}

/** Completion and underlines for a text area that is already made; `element` goes where it stood. */
export class PromptField {
  #entries = [];
  #unknown = [];
  #options = [];
  #active = -1;
  #isWhole = false;
  #isQuiet = false;
  #drawn = null;

  /** `allows(text, caret)` says where words are completed; without it, everywhere. */
  constructor(textarea, { allows = () => true } = {}) {
    this.textarea = textarea;
    this.allows = allows;
    this.mirror = h("div", { class: "mirror", "aria-hidden": "true" });
    made += 1;
    this.list = h("ul", {
      class: "suggestions", id: `suggestions-${made}`, role: "listbox", popover: "manual", "aria-label": "Words of the model",
    });
    this.count = h("span", { class: "hidden-text", "aria-live": "polite" });
    textarea.setAttribute("aria-autocomplete", "list");
    textarea.addEventListener("input", (event) => this.#typed(event));
    textarea.addEventListener("keydown", (event) => this.#key(event));
    textarea.addEventListener("scroll", () => this.#scrolled());
    for (const type of ["blur", "click"]) textarea.addEventListener(type, () => this.close());
    new ResizeObserver(() => this.#draw()).observe(textarea);
    this.element = h("div", { class: "promptfield" }, textarea, this.mirror, this.list, this.count);
  }

  /** Complete with these words (see `entriesOf`); none = nothing is completed. */
  set entries(entries) {
    this.#entries = entries;
    if (!entries.length) this.close();
  }

  /** Underline these words wherever they stand. */
  set unknown(words) {
    const key = `${words.join(" ")}\n${this.textarea.value}`;
    // Asked for at every frame that plays: a layout only where something changed.
    if (this.#drawn === key) return;
    this.#unknown = words;
    this.#draw();
    this.#drawn = key;
  }

  /** The word that is being typed and could still become one of the model, else "". */
  get growing() {
    const { textarea } = this;
    if (!textarea.matches(":focus")) return "";
    const found = suggest(textarea.value, textarea.selectionStart, this.#entries);
    return found?.typed ?? "";
  }

  /** Put words at the caret, with the spaces they need; undone by the browser's own undo. */
  insert(text) {
    const { selectionStart: from, selectionEnd: to, value } = this.textarea;
    const before = from && !/\s$/.test(value.slice(0, from)) ? " " : "";
    const after = /^[\p{L}\p{N}]/u.test(value.slice(to)) ? " " : "";
    this.#replace(from, to, `${before}${text}${after}`);
  }

  /** Put `text` in the place of every `word`. */
  exchange(word, text) {
    for (const [from, to] of placesOf(this.textarea.value, [word]).reverse()) {
      this.#replace(from, to, written(text, this.textarea.value.slice(from, to)));
    }
  }

  /** Close the suggestions. */
  close() {
    if (!this.#options.length) return;
    this.#options = [];
    this.list.hidePopover();
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-activedescendant"]) this.textarea.removeAttribute(name);
    setText(this.count, "");
  }

  #replace(from, to, text) {
    if (this.textarea.disabled) return;
    this.textarea.focus();
    this.textarea.setSelectionRange(from, to);
    this.#isQuiet = true;
    // The browser's own way of typing keeps its undo; not every one has it for every field.
    if (!document.execCommand("insertText", false, text)) {
      this.textarea.setRangeText(text, from, to, "end");
      this.textarea.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.#isQuiet = false;
    this.close();
  }

  #typed({ data, inputType = "" }) {
    this.#draw();
    if (this.#isQuiet) return;
    // Only letters that are typed ask for words: what is pasted is complete as it is.
    const isTyped = data?.length === 1 || inputType.startsWith("delete") || inputType === "insertCompositionText";
    if (isTyped) this.#suggest();
    else this.close();
  }

  #suggest() {
    const { value, selectionStart: caret, selectionEnd } = this.textarea;
    const isShort = value.length <= MOST_CHARACTERS && caret === selectionEnd;
    const found = isShort && this.allows(value, caret) ? suggest(value, caret, this.#entries) : null;
    if (!found) {
      this.close();
      return;
    }
    this.#options = found.options;
    this.#isWhole = found.isWhole;
    this.#active = -1;
    fill(this.list, found.options.map((option, index) => h("li", {
      role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false",
      // Pressing must not take the focus, which would close the list before the click.
      on: { pointerdown: (event) => event.preventDefault(), click: () => this.#accept(index) },
    }, option.text, h("span", {}, option.group))));
    this.#open();
  }

  #open() {
    const { textarea, list } = this;
    textarea.setAttribute("role", "combobox");
    textarea.setAttribute("aria-expanded", "true");
    textarea.setAttribute("aria-controls", list.id);
    textarea.removeAttribute("aria-activedescendant");
    if (!list.matches(":popover-open")) list.showPopover();
    const caret = this.#placeOf(this.#options.at(-1).from);
    const { width, height } = list.getBoundingClientRect();
    const below = caret.bottom + 4;
    list.style.left = `${Math.max(8, Math.min(caret.left, innerWidth - width - 8))}px`;
    list.style.top = `${below + height < innerHeight ? below : Math.max(8, caret.top - height - 4)}px`;
    const count = this.#options.length === 1 ? "1 suggestion" : `${this.#options.length} suggestions`;
    setText(this.count, `${count}: ${this.#options[0].text}`);
  }

  /** Where the character at `offset` stands on screen. */
  #placeOf(offset) {
    for (const [node, start] of textsOf(this.mirror)) {
      if (offset > start + node.length - 1) continue;
      const range = document.createRange();
      range.setStart(node, offset - start);
      range.setEnd(node, offset - start + 1);
      return range.getBoundingClientRect();
    }
    return this.textarea.getBoundingClientRect();
  }

  #key(event) {
    if (!this.#options.length || event.isComposing) return;
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") this.#move(key === "ArrowDown" ? 1 : -1);
    else if (key === "Escape") this.close();
    // A word that is already one of the model is left as it stands: Tab then only leaves the field.
    else if (key === "Tab" && !event.shiftKey && (this.#active >= 0 || !this.#isWhole)) this.#accept(Math.max(0, this.#active));
    else if (key === "Enter" && this.#active >= 0) this.#accept(this.#active);
    else {
      if (["Enter", "Tab", "ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) this.close();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #move(step) {
    const count = this.#options.length;
    this.#active = this.#active < 0 && step < 0 ? count - 1 : (this.#active + step + count) % count;
    [...this.list.children].forEach((one, index) => one.setAttribute("aria-selected", index === this.#active));
    const chosen = this.list.children[this.#active];
    this.textarea.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  }

  #accept(index) {
    const { text, from } = this.#options[index];
    const to = this.textarea.selectionStart;
    this.#replace(from, to, written(text, this.textarea.value.slice(from, to)));
  }

  #scrolled() {
    this.mirror.scrollTop = this.textarea.scrollTop;
    this.close();
  }

  /** Lay the text out once more under the field's own, to underline words and to find the caret. */
  #draw() {
    const { textarea, mirror } = this;
    const { value } = textarea;
    this.#drawn = null;
    if (!textarea.clientWidth || value.length > MOST_CHARACTERS) {
      fill(mirror);
      return;
    }
    const style = getComputedStyle(textarea);
    for (const name of SAME_BOX) mirror.style[name] = style[name];
    mirror.style.width = `${textarea.clientWidth + 2 * textarea.clientLeft}px`;
    const parts = [];
    let end = 0;
    for (const [from, to] of placesOf(value, this.#unknown)) {
      parts.push(value.slice(end, from), h("u", {}, value.slice(from, to)));
      end = to;
    }
    // A last empty line takes room only if something stands in it.
    mirror.replaceChildren(...parts, `${value.slice(end)}\u200b`);
    mirror.scrollTop = textarea.scrollTop;
  }
}
