/** Two pictures over each other or beside each other: wipe, difference, side by side. */

import { fill, h, StudioElement } from "./dom.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

const styles = sheet(`
.root { display: grid; gap: 8px; }
.views { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; position: relative; }
.over .views { grid-template-columns: 1fr; }
figure { margin: 0; position: relative; background: #000; border-radius: 4px; overflow: hidden; aspect-ratio: var(--aspect, 1); }
.over figure { grid-area: 1 / 1; max-height: var(--tallest, 340px); width: 100%; }
.over figure + figure { background: none; }
figure > img, figure > video { width: 100%; height: 100%; object-fit: contain; display: block; }
.wipe figure.a { clip-path: inset(0 calc(100% - var(--at, 50%)) 0 0); z-index: 1; background: #000; }
.difference figure.a > :is(img, video) { mix-blend-mode: difference; }
.difference .views { isolation: isolate; filter: brightness(3); }
.difference figcaption { display: none; }
figcaption { position: absolute; left: 6px; top: 6px; background: #101114d9; border-radius: 3px; font-size: 11px; padding: 1px 7px; max-width: calc(100% - 12px); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; z-index: 2; }
.over figure.b figcaption { left: auto; right: 6px; }
.edge { position: absolute; top: 0; bottom: 0; width: 2px; left: var(--at, 50%); background: var(--mn-accent); z-index: 3; pointer-events: none; display: none; }
.wipe .edge { display: block; }
.views input[type="range"] { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: ew-resize; z-index: 4; display: none; margin: 0; }
.wipe .views input { display: block; }
.views:has(input:focus-visible) { outline: 2px solid var(--mn-focus); outline-offset: 2px; border-radius: 4px; }
.none { position: absolute; inset: 0; display: grid; place-items: center; text-align: center; color: var(--mn-faint); font-size: 12px; padding: 8px; background: var(--mn-well); }
`);

const MODES = [["beside", "Side by side"], ["wipe", "Wipe"], ["difference", "Difference ×3"]];

class Compare extends StudioElement {
  static topics = [];
  static styles = [styles];

  mode = "beside";

  build() {
    this.a = this.figure("a");
    this.b = this.figure("b");
    this.slider = h("input", {
      type: "range", min: 0, max: 100, step: 0.5, value: 50, "aria-label": "Wipe",
      on: { input: () => this.root.style.setProperty("--at", `${this.slider.value}%`) },
    });
    this.buttons = MODES.map(([mode, label]) => h("button", {
      type: "button", on: { click: () => this.setMode(mode) },
    }, label));
    this.views = h("div", { class: "views" }, this.b, this.a, h("div", { class: "edge" }), this.slider);
    this.root.append(this.views, h("div", { class: "segments", role: "group", "aria-label": "Compare" }, ...this.buttons));
    this.root.querySelector(".segments").style.justifySelf = "start";
    this.setMode(this.mode);
  }

  figure(name) {
    return h("figure", { class: name }, h("div", { class: "none" }), h("figcaption", {}));
  }

  setMode(mode) {
    this.mode = mode;
    this.root.className = `root ${mode} ${mode === "beside" ? "" : "over"}`;
    this.buttons.forEach((one, index) => one.setAttribute("aria-pressed", MODES[index][0] === mode));
    // Side by side the first picture stands left; laid over, it is the one that is wiped away.
    if (mode === "beside") this.views.prepend(this.a, this.b);
    else this.views.prepend(this.b, this.a);
    this.dataset.mode = mode;
  }

  /** Show pictures: each is `{label, element}` (an img or a video) or `{label, note}`. */
  show(a, b) {
    const project = store.document?.project;
    if (project) this.root.style.setProperty("--aspect", project.width / project.height);
    this.put(this.a, a);
    this.put(this.b, b);
  }

  put(figure, { label, element, note }) {
    fill(figure, element ?? h("div", { class: "none" }, note ?? ""), h("figcaption", {}, label));
  }
}

customElements.define("mnemo-compare", Compare);
