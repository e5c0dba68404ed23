/** The studio's menu: first steps, keys, and the look of the page. */

import { run } from "./commands.js";
import { fill, h, icon, StudioElement } from "./dom.js";
import { freeMemory } from "./jobs.js";
import { settings } from "./settings.js";
import { sheet } from "./style.js";
import { chosenTheme, chooseTheme, THEMES } from "./theme.js";

const LINES = "M2.5 4.5h11M2.5 8h11M2.5 11.5h11";

const styles = sheet(`
:host { flex: none; }
.root { height: auto; }
.menu { position: fixed; inset: auto; margin: 0; padding: 5px; min-width: 216px; color: var(--mn-text); background: var(--mn-panel); border: 1px solid var(--mn-line-strong); border-radius: 7px; box-shadow: 0 12px 32px var(--mn-shadow); font: 13px/1.45 var(--mn-font); }
.menu button { width: 100%; justify-content: flex-start; background: transparent; border-color: transparent; padding: 4px 10px; gap: 8px; }
.menu button:hover, .menu button:focus-visible { background: var(--mn-hover); }
.menu button:focus-visible { outline-offset: -2px; }
.menu .tick { width: 14px; flex: none; }
.menu kbd { margin-left: auto; font: 11px var(--mn-mono); color: var(--mn-dim); }
.menu h3 { padding: 6px 10px 2px; font-weight: 500; }
.menu hr { border: 0; border-top: 1px solid var(--mn-line); margin: 5px 0; }
`);

class Menu extends StudioElement {
  static topics = ["project"];
  static styles = [styles];

  build() {
    this.button = h("button", {
      class: "plain icon", type: "button", "aria-label": "Menu", title: "Menu", "aria-haspopup": "menu", "aria-expanded": "false",
      on: { click: () => this.toggle(), keydown: (event) => event.key === "ArrowDown" && this.toggle(event) },
    }, icon(LINES));
    this.menu = h("div", { class: "menu", role: "menu", "aria-label": "Menu", popover: "auto", on: { keydown: (event) => this.key(event) } });
    this.menu.addEventListener("toggle", (event) => {
      this.button.setAttribute("aria-expanded", event.newState === "open");
    });
    this.root.append(this.button, this.menu);
    settings.addEventListener("change", () => this.schedule());
  }

  refresh() {
    const chosen = chosenTheme();
    fill(this.menu,
      this.item("First steps…", () => document.querySelector("mnemo-welcome").open()),
      document.documentElement.dataset.screen === "desk" ? this.item("Keys", () => run("help"), "?") : null,
      this.item("Free the engine's memory", () => freeMemory()),
      h("hr", { role: "separator" }),
      h("div", { role: "group", "aria-label": "Appearance" }, h("h3", { role: "presentation" }, "Appearance"),
        ...THEMES.map(([theme, label]) => this.choice(label, theme === chosen, () => chooseTheme(theme)))));
  }

  item(label, action, key = "") {
    return h("button", { type: "button", role: "menuitem", tabindex: -1, on: { click: () => this.choose(action) } },
      label, key ? h("kbd", { "aria-hidden": "true" }, key) : null);
  }

  choice(label, isChosen, action) {
    return h("button", {
      type: "button", role: "menuitemradio", "aria-checked": String(isChosen), tabindex: -1, on: { click: () => this.choose(action) },
    }, h("span", { class: "tick", "aria-hidden": "true" }, isChosen ? "✓" : ""), label);
  }

  choose(action) {
    this.menu.hidePopover();
    this.button.focus();
    action();
  }

  toggle(event) {
    event?.preventDefault();
    this.refresh();
    const { bottom, right } = this.button.getBoundingClientRect();
    this.menu.togglePopover();
    this.menu.style.top = `${bottom + 4}px`;
    this.menu.style.left = `${Math.max(8, right - this.menu.offsetWidth)}px`;
    this.menu.querySelector("button")?.focus();
  }

  key(event) {
    const items = [...this.menu.querySelectorAll("button")];
    const at = items.indexOf(this.shadowRoot.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) {
      if (event.key === "Tab") this.menu.hidePopover();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    items[(next + items.length) % items.length].focus();
  }
}

customElements.define("mnemo-menu", Menu);
