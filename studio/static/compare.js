/** Two pictures over each other or beside each other: wipe, difference, side by side. */

import { fill, h, icon, StudioElement } from "./dom.js";
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
figcaption { position: absolute; left: 6px; top: 6px; background: var(--mn-scrim); color: var(--mn-on-scrim); border-radius: 3px; font-size: 11px; padding: 1px 7px; max-width: calc(100% - 12px); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; z-index: 2; }
.over figure.b figcaption { left: auto; right: 6px; }
.edge { position: absolute; top: 0; bottom: 0; width: 2px; left: var(--at, 50%); background: var(--mn-accent); z-index: 3; pointer-events: none; display: none; }
.wipe .edge { display: block; }
.views input[type="range"] { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: ew-resize; z-index: 4; display: none; margin: 0; }
.wipe .views input { display: block; }
.views:has(input:focus-visible) { outline: 2px solid var(--mn-focus); outline-offset: 2px; border-radius: 4px; }
.tools { display: flex; gap: 6px; flex-wrap: wrap; }
.ground { display: none; position: fixed; z-index: 6; background: var(--mn-page); pointer-events: none; }
.large .ground { display: block; }
.large .views { position: fixed; z-index: 7; }
.large figure, .large.over figure { max-height: none; height: 100%; aspect-ratio: auto; border-radius: 0; }
.large .held { display: block; }
.held { display: none; color: var(--mn-dim); font-size: 12px; }
.none { position: absolute; inset: 0; display: grid; place-items: center; text-align: center; color: var(--mn-dim); font-size: 12px; padding: 8px; background: var(--mn-well); }
`);

const MODES = [["beside", "Side by side"], ["wipe", "Wipe"], ["difference", "Difference ×3"]];
const LARGER = "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9";
const GAP = 6;
const MARGIN = 16;
// Under the picture of the player stands its transport, which stays in reach.
const TRANSPORT = 44;

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
    this.ground = h("div", { class: "ground" });
    this.enlarge = h("button", {
      type: "button", class: "plain icon", "aria-label": "In the player", title: "Show the comparison in the player, as large as it goes",
      on: { click: () => this.setLarge(!this.isLarge) },
    }, icon(LARGER));
    this.root.append(this.ground, this.views, h("p", { class: "held" }, "Shown in the player."),
      h("div", { class: "tools" }, h("div", { class: "segments", role: "group", "aria-label": "Compare" }, ...this.buttons), this.enlarge));
    this.isLarge = this.hasAttribute("large");
    this.setMode(this.mode);
    this.watchPlayer();
  }

  /** The place of the player changes with the window and with the timeline below it. */
  watchPlayer() {
    const player = document.querySelector("mnemo-player");
    this.enlarge.hidden = !player;
    if (!player) return;
    new ResizeObserver(() => this.place()).observe(player);
    // Whoever moves the playhead, or plays, wants to see the film; a recall follows the playhead.
    store.addEventListener("playhead", () => {
      const isOver = this.hasAttribute("large") || player.playback?.rate;
      if (this.isLarge && isOver) this.setLarge(false);
    });
  }

  /** Show the pictures over the player, or (false) in the panel. */
  setLarge(isLarge) {
    this.isLarge = isLarge;
    this.setMode(this.mode);
  }

  /** Lay the pictures over the player's: as large as fits, whole. */
  place() {
    const player = this.isLarge ? document.querySelector("mnemo-player")?.getBoundingClientRect() : null;
    for (const part of [this.views, this.ground]) part.removeAttribute("style");
    if (!player?.width) return;
    const { left, top, width } = player;
    const height = player.height - TRANSPORT;
    const put = (part, box) => {
      for (const [name, value] of Object.entries(box)) part.style[name] = `${value}px`;
    };
    put(this.ground, { left, top, width, height });
    const { width: across = 1, height: down = 1 } = store.document?.project ?? {};
    const count = this.mode === "beside" ? 2 : 1;
    const gaps = GAP * (count - 1);
    const one = Math.min((width - 2 * MARGIN - gaps) / count, ((height - 2 * MARGIN) * across) / down);
    const box = { width: one * count + gaps, height: (one * down) / across };
    put(this.views, { ...box, left: left + (width - box.width) / 2, top: top + (height - box.height) / 2 });
  }

  figure(name) {
    return h("figure", { class: name }, h("div", { class: "none" }), h("figcaption", {}));
  }

  setMode(mode) {
    this.mode = mode;
    this.root.className = `root ${mode} ${mode === "beside" ? "" : "over"} ${this.isLarge ? "large" : ""}`;
    this.enlarge.setAttribute("aria-pressed", this.isLarge);
    this.place();
    this.buttons.forEach((one, index) => one.setAttribute("aria-pressed", MODES[index][0] === mode));
    // Side by side the first picture stands left; laid over, it is the one that is wiped away.
    if (mode === "beside") this.views.prepend(this.a, this.b);
    else this.views.prepend(this.b, this.a);
    this.dataset.mode = mode;
  }

  /** Show pictures; in the player, where the element has the attribute `large`. Each is `{label, element}` (an img or a video) or `{label, note}`. */
  show(a, b) {
    const project = store.document?.project;
    if (project) this.root.style.setProperty("--aspect", project.width / project.height);
    if (this.hasAttribute("large")) this.setLarge(true);
    this.put(this.a, a);
    this.put(this.b, b);
    this.place();
  }

  put(figure, { label, element, note }) {
    fill(figure, element ?? h("div", { class: "none" }, note ?? ""), h("figcaption", {}, label));
  }
}

customElements.define("mnemo-compare", Compare);
