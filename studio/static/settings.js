/** What the editor prefers (keys, look), kept by the studio: the same in every film and window. */

import * as api from "./api.js";

/** The preferences as this page knows them. Fires `change` whenever one became another. */
export class Settings extends EventTarget {
  values = {};

  /** Value of a preference, or `otherwise` before it was read. */
  get(name, otherwise = null) {
    return this.values[name] ?? otherwise;
  }

  /** Read them all; a page that cannot goes on with the defaults. */
  async load() {
    try {
      this.show((await api.get("/api/settings")).settings);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
    }
  }

  /** Take over values that the studio told. */
  show(values) {
    const isSame = Object.entries(values).every(([name, value]) => this.values[name] === value);
    if (isSame) return;
    this.values = { ...this.values, ...values };
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** Store some of them; they hold at once, and a refusal (thrown) takes them back. */
  async put(changes) {
    const before = this.values;
    this.show(changes);
    try {
      this.show((await api.put("/api/settings", { settings: changes })).settings);
    } catch (error) {
      this.values = before;
      this.dispatchEvent(new CustomEvent("change"));
      throw error;
    }
  }
}

/** One for the page. */
export const settings = new Settings();
