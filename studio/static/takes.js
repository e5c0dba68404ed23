/** Every take of a shot: compare with the one the cut shows, and pick. */

import * as api from "./api.js";
import { run } from "./commands.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { lengthOf } from "./model.js";
import { showFrame } from "./playback.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { duration } from "./timecode.js";

const styles = sheet(`
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
li { display: grid; grid-template-columns: 72px 1fr; gap: 10px; background: var(--mn-raised); border: 1px solid transparent; border-radius: 5px; overflow: hidden; }
li.picked { border-color: var(--mn-accent-line); background: var(--mn-accent-soft); }
.tile { height: 100%; min-height: 72px; background: #000 0 0 / auto 100% no-repeat; }
.about { padding: 8px 10px 8px 0; display: grid; gap: 4px; min-width: 0; }
.about b { font-weight: 600; }
.actions { display: flex; gap: 6px; }
.actions button { min-height: 26px; padding: 2px 10px; font-size: 12px; }
.now { color: var(--mn-accent); font-size: 12px; line-height: 26px; }
`);

class Takes extends StudioElement {
  static topics = ["document", "selection", "playhead", "project"];
  static styles = [panel, styles];

  build() {
    this.shown = "";
    this.takes = [];
    this.other = null;
    this.heading = h("h2", { class: "clip" });
    this.compare = document.createElement("mnemo-compare");
    this.comparison = h("section", { hidden: true }, this.compare);
    this.list = h("ul", { "aria-label": "Takes" });
    this.more = button("New take", () => run("regenerate"));
    this.empty = h("div", { class: "empty" }, h("b", {}, "No takes yet"),
      h("span", {}, "Each time you generate a shot you get a take. Takes are never lost: pick any of them later."));
    this.root.append(h("div", { class: "row" }, h("span", { class: "grow" }, this.heading), this.more),
      this.comparison, this.list, this.empty);
    this.videos = { a: h("video", { playsinline: true }), b: h("video", { playsinline: true }) };
    for (const video of Object.values(this.videos)) video.muted = true;
  }

  refresh() {
    const shot = store.focus;
    const key = shot ? `${shot.shot_id} ${shot.num_takes} ${shot.take?.take_id}` : "";
    setText(this.heading, shot ? `Takes of ${store.nameOf(shot.shot_id)}` : "Takes");
    this.more.hidden = !shot || shot.take?.kind === "footage";
    this.more.disabled = !shot || Boolean(shot.locked) || Boolean(store.jobOf(shot.shot_id));
    if (!this.isShown) return;
    if (key !== this.shown) this.load(shot, key);
    else if (this.other) this.showFrames();
  }

  async load(shot, key) {
    const isSameShot = this.shown.split(" ")[0] === shot?.shot_id;
    this.shown = key;
    if (!isSameShot) this.other = null;
    const path = `${store.base}/shots/${encodeURIComponent(shot?.shot_id)}/takes`;
    const reply = shot?.num_takes ? await store.ask(() => api.get(path)) : { takes: [] };
    if (!reply || key !== this.shown) return;
    this.takes = reply.takes;
    this.draw(shot);
  }

  draw(shot) {
    this.empty.hidden = this.takes.length > 0;
    const newest = [...this.takes].sort((a, b) => b.number - a.number);
    fill(this.list, newest.map((take) => this.row(shot, take)));
    this.showFrames();
  }

  row(shot, take) {
    const tile = h("div", { class: "tile" });
    tile.style.backgroundImage = `url("${encodeURI(take.strip)}")`;
    const seconds = Object.entries(take.seconds ?? {})
      .filter(([name]) => name !== "step" && name !== "first_preview")
      .reduce((sum, [, value]) => sum + value, 0);
    const facts = take.kind === "footage" ? [`${take.num_frames} frames`] : [
      `seed ${take.seed}`, `${take.num_frames} frames`,
      take.memory_tokens ? `read ${take.memory_tokens.toLocaleString("en")} tokens` : "read no memory",
      seconds ? duration(seconds) : null,
    ];
    const actions = take.picked ? [h("span", { class: "now" }, "In the cut")] : [
      button("Pick", () => this.pick(shot, take)),
      button("Compare", () => this.choose(take), {
        class: "plain", "aria-pressed": this.other?.take_id === take.take_id ? "true" : "false",
      }),
    ];
    return h("li", { class: take.picked ? "picked" : "", "data-take": take.take_id }, tile,
      h("div", { class: "about" },
        h("b", {}, take.kind === "footage" ? "Footage" : `Take ${take.number}`),
        h("span", { class: "dim small" }, facts.filter(Boolean).join(" · ")),
        h("div", { class: "actions" }, ...actions)));
  }

  pick(shot, take) {
    if (this.other?.take_id === take.take_id) this.other = null;
    store.edit({ kind: "pick_take", shot_id: shot.shot_id, take_id: take.take_id });
  }

  choose(take) {
    this.other = this.other?.take_id === take.take_id ? null : take;
    this.draw(store.focus);
  }

  /** The same frame of both takes, following the playhead inside of the shot. */
  async showFrames() {
    const shot = store.focus;
    this.comparison.hidden = !this.other || !shot?.take;
    if (this.comparison.hidden) return;
    const { a, b } = this.videos;
    this.compare.show({ label: `Take ${shot.take.number} (in the cut)`, element: a },
      { label: `Take ${this.other.number}`, element: b });
    const start = store.starts[store.indexOf(shot.shot_id)];
    const offset = Math.max(0, Math.min(lengthOf(shot) - 1, store.playhead - start));
    const frame = shot.in + offset;
    if (this.seeking) return;
    this.seeking = true;
    try {
      await showFrame(a, shot.take.media, frame, store.rate);
      await showFrame(b, this.other.media, Math.min(frame, this.other.num_frames - 1), store.rate);
    } catch (error) {
      store.announce(error.message, "bad");
    } finally {
      this.seeking = false;
    }
  }
}

customElements.define("mnemo-takes", Takes);
