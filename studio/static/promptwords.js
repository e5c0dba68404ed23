/** What a field for a prompt needs of the model's words: completion, underlines, names, a palette. */

import { h } from "./dom.js";
import { nameUnknown, Palette, paletteStyles } from "./palette.js";
import { PromptField, promptStyles } from "./promptfield.js";
import { entriesOf, unknownWords } from "./words.js";

/** Styles of a component with such a field. */
export const wordStyles = [promptStyles, paletteStyles];

/** The words around one text area; `elements` stand where the area would. */
export class PromptWords {
  #info = null;

  constructor(textarea) {
    this.field = new PromptField(textarea);
    this.palette = new Palette((text) => this.field.insert(text));
    this.unknown = h("div", { class: "unknown", role: "status" });
    this.elements = [this.field.element, this.unknown, this.palette.element];
  }

  /** Bring everything up to date with the text and with the model, `info`. */
  show(info) {
    if (this.#info !== info) {
      this.#info = info;
      this.field.entries = entriesOf(info);
      this.palette.show(info);
    }
    // A word that is still being typed is not yet one that the model does not know.
    const { growing, textarea } = this.field;
    const words = unknownWords(textarea.value, info?.words).filter((word) => word !== growing);
    this.field.unknown = words;
    nameUnknown(this.unknown, words, info?.words ?? [], (word, near) => this.field.exchange(word, near));
  }
}
