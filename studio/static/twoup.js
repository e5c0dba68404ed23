/** Two pictures at a cut while it is trimmed: the last frame before it and the first one after. */

import { h, setText, StudioElement } from "./dom.js";
import { nameOf, tileAt } from "./model.js";
import { showFrame } from "./playback.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

const styles = sheet(`
:host { position: fixed; z-index: 6; pointer-events: none; }
.root { height: 100%; display: grid; grid-template-columns: 1fr 1fr; gap: 12px; padding: 12px; background: var(--mn-page); }
figure { margin: 0; min-width: 0; min-height: 0; display: grid; grid-template-rows: minmax(0, 1fr) auto; gap: 6px; }
.screen { position: relative; container-type: size; display: grid; place-items: center; overflow: hidden; }
.picture { position: relative; width: min(100cqw, 100cqh * var(--aspect, 1)); aspect-ratio: var(--aspect, 1); background: #000; overflow: hidden; }
canvas, video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
video { visibility: hidden; }
video.on { visibility: visible; }
.none { position: absolute; inset: 0; display: grid; place-content: center; text-align: center; padding: 16px; color: var(--mn-dim); background: repeating-linear-gradient(135deg, var(--mn-well) 0 14px, var(--mn-panel) 14px 28px); overflow-wrap: anywhere; }
figcaption { font-size: 12px; display: flex; justify-content: space-between; gap: 12px; color: var(--mn-dim); }
figcaption b { color: var(--mn-text); font-weight: 600; }
`);

/** One of the two: a tile of the film strip at once, the exact frame when it is there. */
class Pane {
  #wish = null;
  #busy = false;

  constructor() {
    this.canvas = h("canvas", { width: 320, height: 320 });
    this.video = h("video", { muted: true, playsinline: true, tabindex: -1 });
    this.video.muted = true;
    this.none = h("div", { class: "none" });
    this.title = h("b", {});
    this.detail = h("span", { class: "mono" });
    this.element = h("figure", {}, h("div", { class: "screen" }, h("div", { class: "picture" }, this.canvas, this.video, this.none)),
      h("figcaption", {}, this.title, this.detail));
  }

  /** Show `frame` of a shot's take, or `words` where there is no picture. */
  show({ title, detail, words = "", take = null, frame = 0 }, strips) {
    setText(this.title, title);
    setText(this.detail, detail);
    setText(this.none, words);
    this.none.hidden = Boolean(take);
    this.#wish = take && { media: take.media, frame };
    if (!take) return;
    this.tile(take, frame, strips);
    this.exact();
  }

  tile(take, frame, strips) {
    const image = strips.get(take.strip);
    if (!image) return;
    const width = image.naturalWidth / take.strip_tiles;
    Object.assign(this.canvas, { width, height: image.naturalHeight });
    const x = tileAt(frame, take.num_frames, take.strip_tiles) * width;
    this.canvas.getContext("2d").drawImage(image, x, 0, width, image.naturalHeight, 0, 0, width, image.naturalHeight);
  }

  /** Bring the video to the newest wish; wishes that were overtaken meanwhile are left out. */
  async exact() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let wish = null; this.#wish && wish !== this.#wish;) {
        wish = this.#wish;
        await showFrame(this.video, wish.media, wish.frame, store.rate);
        this.video.classList.toggle("on", wish === this.#wish);
        this.element.dataset.frame = wish.frame;
      }
    } catch {
      // The tile of the film strip stays: a take that cannot be played is told of by the player.
      this.video.classList.remove("on");
    } finally {
      this.#busy = false;
    }
  }
}

class TwoUp extends StudioElement {
  static topics = [];
  static styles = [styles];

  build() {
    this.panes = [new Pane(), new Pane()];
    this.root.append(...this.panes.map((pane) => pane.element));
    this.hidden = true;
  }

  /** Lay two pictures over the player; null hides them. */
  show(pictures, strips) {
    const place = document.querySelector("mnemo-player")?.getBoundingClientRect();
    this.hidden = !pictures || !place?.width;
    if (this.hidden) return;
    const { left, top, width, height } = place;
    for (const [name, value] of Object.entries({ left, top, width, height })) this.style[name] = `${value}px`;
    const { project } = store.document;
    this.style.setProperty("--aspect", project.width / project.height);
    pictures.forEach((picture, index) => this.panes[index].show(picture, strips));
  }
}

/** What a pane shows of the shot at `index`: its "first" or its "last" frame. */
export function pictureOf(index, end) {
  const shot = store.shots[index];
  if (!shot) return { title: end === "last" ? "Start of the film" : "End of the film", detail: "", words: "No shot here" };
  const frame = end === "last" ? shot.out - 1 : shot.in;
  if (!shot.take) return { title: nameOf(shot, index), detail: "not generated", words: shot.prompt || "No prompt yet" };
  const left = end === "last" ? shot.take.num_frames - shot.out : shot.in;
  const handle = left ? `${left} more` : "no handle left";
  return { title: nameOf(shot, index), detail: `${end} frame ${frame} · ${handle}`, take: shot.take, frame };
}

/** Index of the nearest shot before (-1) or after (1) `index` that the film shows. */
export function shownBeside(index, direction) {
  let at = index + direction;
  while (store.shots[at]?.muted) at += direction;
  return at;
}

customElements.define("mnemo-twoup", TwoUp);
