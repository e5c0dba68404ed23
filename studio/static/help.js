/** Every command with its keys, over the page: to look them up, and to do what has no button near. */

import { run } from "./commands.js";
import { button, fill, h, StudioElement } from "./dom.js";
import { PRESETS, rowsOf, written } from "./keymap.js";
import { settings } from "./settings.js";
import { store } from "./store.js";
import { dialog, sheet } from "./style.js";

const styles = sheet(`
dialog { width: min(1240px, calc(100vw - 48px)); }
.scroll { overflow: auto; max-height: calc(100vh - 112px); }
.groups { columns: 3 300px; column-gap: 32px; padding: 16px; }
section { margin-bottom: 16px; }
h3 { break-after: avoid; margin-bottom: 4px; }
ul { list-style: none; margin: 0; padding: 0; }
li { break-inside: avoid; }
li button { width: calc(100% + 12px); min-height: 0; display: flex; justify-content: space-between; gap: 16px; padding: 3px 6px; margin: 0 -6px; white-space: normal; font-size: 12.5px; text-align: left; color: inherit; }
.keys { white-space: nowrap; }
header label { display: flex; gap: 8px; align-items: center; font-size: 12.5px; color: var(--mn-dim); }
kbd { font: 11px var(--mn-mono); background: var(--mn-raised); border: 1px solid var(--mn-line-strong); border-radius: 3px; padding: 1px 6px; margin-left: 4px; }
`);

class Help extends StudioElement {
  static topics = ["keys"];
  static styles = [dialog, styles];

  build() {
    const close = () => this.dialog.close();
    const options = Object.entries(PRESETS).map(([value, name]) => h("option", { value }, name));
    this.preset = h("select", { on: { change: () => this.choosePreset() } }, ...options);
    this.groups = h("div", { class: "groups" });
    this.dialog = h("dialog", { "aria-label": "Keys" },
      h("header", {}, h("h2", {}, "Keys"), h("label", {}, "Keys of", this.preset),
        button("✕", close, { class: "plain icon", "aria-label": "Close" })),
      h("div", { class: "scroll", tabindex: 0 }, this.groups));
    this.root.append(this.dialog);
  }

  choosePreset() {
    return store.ask(() => settings.put({ keys: this.preset.value }));
  }

  refresh() {
    const preset = settings.get("keys", "mnemoreel");
    this.preset.value = preset;
    const rows = rowsOf(preset).filter((row) => row.keys.length);
    const groups = [...new Set(rows.map((row) => row.group))];
    const line = (row) => h("li", {}, h("button", {
      type: "button", class: "plain", "data-command": row.command, on: { click: () => this.choose(row.command) },
    }, h("span", {}, row.title), h("span", { class: "keys" }, ...row.keys.map((key) => h("kbd", {}, written(key))))));
    fill(this.groups, ...groups.map((group) => h("section", {}, h("h3", {}, group),
      h("ul", {}, ...rows.filter((row) => row.group === group).map(line)))));
  }

  /** Do a command as its key would: the window is out of the way first. */
  choose(command) {
    this.dialog.close();
    if (command !== "help") run(command);
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}

customElements.define("mnemo-help", Help);
