/** The keys, shown over the page. */

import { button, h, StudioElement } from "./dom.js";
import { KEYMAP } from "./keymap.js";
import { dialog, sheet } from "./style.js";

const styles = sheet(`
dialog { width: min(900px, calc(100vw - 48px)); }
.groups { columns: 2; column-gap: 32px; padding: 16px; overflow: auto; max-height: calc(100vh - 130px); }
section { break-inside: avoid; margin-bottom: 16px; }
h3 { margin-bottom: 4px; }
dl { margin: 0; }
dl div { display: flex; justify-content: space-between; gap: 16px; padding: 3px 0; }
dt { font-size: 12.5px; }
dd { margin: 0; white-space: nowrap; }
kbd { font: 11px var(--mn-mono); background: var(--mn-raised); border: 1px solid var(--mn-line-strong); border-radius: 3px; padding: 1px 6px; margin-left: 4px; }
`);

class Help extends StudioElement {
  static topics = [];
  static styles = [dialog, styles];

  build() {
    const groups = [...new Set(KEYMAP.map((row) => row.group))];
    const close = () => this.dialog.close();
    this.dialog = h("dialog", { "aria-label": "Keys" },
      h("header", {}, h("h2", {}, "Keys"), button("✕", close, { class: "plain icon", "aria-label": "Close" })),
      h("div", { class: "groups", tabindex: 0 }, ...groups.map((group) => h("section", {}, h("h3", {}, group),
        h("dl", {}, ...KEYMAP.filter((row) => row.group === group).map((row) => h("div", {},
          h("dt", {}, row.title), h("dd", {}, ...row.keys.map((key) => h("kbd", {}, key))))))))));
    this.root.append(this.dialog);
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}

customElements.define("mnemo-help", Help);
