/** Editor's notes on the shot in focus: what was measured, where, and how far above its threshold. */

import { button, fill, h, setText, StudioElement } from "./dom.js";
import { notes } from "./notes_state.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

const styles = sheet(`
:host { height: auto; }
.root { display: grid; gap: 6px; border-top: 1px solid var(--mn-line); padding-top: 14px; height: auto; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 6px; }
li { background: var(--mn-well); border-left: 3px solid var(--mn-warn); border-radius: 4px; padding: 7px 10px; display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 8px; font-size: 12.5px; }
li .why { grid-column: 1 / -1; font-size: 11.5px; color: var(--mn-dim); }
button { min-height: 24px; padding: 1px 7px; font-size: 12px; }
.words { all: unset; cursor: pointer; overflow-wrap: anywhere; }
.words:hover { text-decoration: underline; }
.words:focus-visible { outline: 2px solid var(--mn-focus); }
`);

class Notes extends StudioElement {
  static topics = ["document", "selection", "playhead", "project", "notes"];
  static styles = [styles];

  build() {
    this.list = h("ul", { "aria-label": "Continuity notes" });
    this.rest = h("span", { class: "dim small grow" });
    this.check = button("Compare now", () => notes.checkAll(), {
      class: "plain", title: "Measure the shots of this cut that were not compared yet, when nothing else runs",
    });
    this.foot = h("div", { class: "row" }, this.rest, this.check);
    this.root.append(h("h3", { title: "Measured on colours, latents and brightness of the picture. Notes never stop anything." }, "Continuity notes"), this.list, this.foot);
  }

  refresh() {
    const shot = store.focus;
    const found = shot ? notes.of(shot.shot_id) : [];
    const { unchecked } = notes.now;
    this.hidden = !found.length && !unchecked;
    this.foot.hidden = !unchecked;
    setText(this.rest, unchecked === 1 ? "1 shot was not compared yet" : `${unchecked} shots were not compared yet`);
    const key = found.map(({ id, text }) => id + text).join();
    if (this.shown === key) return;
    this.shown = key;
    fill(this.list, found.map((note) => h("li", { "data-note": note.about },
      h("button", { type: "button", class: "words", title: "Go to this frame", on: { click: () => store.seek(note.frame) } }, note.text),
      button("Dismiss", () => notes.dismiss(note.id), { class: "plain" }),
      h("span", { class: "why" }, note.detail))));
  }
}

customElements.define("mnemo-notes", Notes);
