/** Two points of the history beside each other: the same frame of both cuts, and what differs. */

import * as api from "./api.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { tileAt } from "./model.js";
import { showFrame } from "./playback.js";
import { store } from "./store.js";
import { dialog, sheet } from "./style.js";
import { format } from "./timecode.js";

const styles = sheet(`
dialog { width: min(1080px, calc(100vw - 48px)); }
.body { padding: 14px 16px; display: grid; gap: 12px; overflow: auto; max-height: calc(100vh - 120px); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; }
figure { margin: 0; display: grid; gap: 6px; min-width: 0; }
.picture { position: relative; background: #000; aspect-ratio: var(--aspect, 1.5); border-radius: 4px; overflow: hidden; max-height: 46vh; }
.picture video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
.strip { position: absolute; inset: 0; background: no-repeat 0 0; }
.strip.exact { visibility: hidden; }
.none { position: absolute; inset: 0; display: grid; place-items: center; padding: 16px; text-align: center; color: #b8bcc4; font-size: 12px; overflow: hidden; }
figcaption { display: flex; gap: 8px; font-size: 12px; }
.time { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 10px; align-items: center; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 4px; }
li { display: grid; grid-template-columns: 92px minmax(0, 1fr) auto; gap: 10px; align-items: center; background: var(--mn-raised); border-radius: 4px; padding: 5px 10px; font-size: 12.5px; }
li .kind { color: var(--mn-dim); }
li button.plain { justify-content: flex-start; overflow: hidden; }
`);

const KINDS = { added: "only right", removed: "only left", changed: "changed", moved: "moved" };

/** Which shot a cut shows at a frame of it, and the frame of the take. */
export function shotAt(point, frame) {
  const shot = point.shots.findLast((one) => one.start <= frame);
  if (!shot || frame >= point.total_frames) return null;
  return { shot, frame: shot.in + frame - shot.start };
}

/** The differences as rows, in the order of the cuts: what, which shot, which fields. */
export function differenceRows({ a, b, difference }) {
  const place = new Map([...a.shots, ...b.shots].map((shot) => [shot.shot_id, shot]));
  const changed = difference.changed.map(({ shot_id: id, fields }) => ({ kind: "changed", id, fields }));
  const of = (kind) => difference[kind].map((id) => ({ kind, id, fields: [] }));
  const moved = of("moved").filter(({ id }) => !changed.some((row) => row.id === id));
  return [...changed, ...of("added"), ...of("removed"), ...moved]
    .map((row) => ({ ...row, shot: place.get(row.id) }))
    .sort((x, y) => x.shot.start - y.shot.start);
}

class Versus extends StudioElement {
  static topics = ["document"];
  static styles = [dialog, styles];

  build() {
    this.sides = { a: this.side(), b: this.side() };
    this.slider = h("input", { type: "range", min: 0, value: 0, step: 1, "aria-label": "Frame of both cuts", on: { input: () => this.showFrame() } });
    this.time = h("output", { class: "mono small" });
    this.list = h("ul", { "aria-label": "What differs" });
    this.summary = h("h3", {});
    const close = button("✕", () => this.dialog.close(), { class: "plain icon", "aria-label": "Close" });
    this.dialog = h("dialog", { "aria-label": "Two points of the history" },
      h("header", {}, h("h2", {}, "Compare two points"), close),
      h("div", { class: "body" }, h("div", { class: "pair" }, this.sides.a.element, this.sides.b.element),
        h("div", { class: "time" }, this.slider, this.time), this.summary, this.list));
    this.root.append(this.dialog);
  }

  side() {
    const side = {
      strip: h("div", { class: "strip" }), none: h("div", { class: "none" }),
      video: h("video", { playsinline: true }), label: h("b", { class: "clip" }), shot: h("span", { class: "dim clip" }),
    };
    side.video.muted = true;
    side.element = h("figure", {}, h("div", { class: "picture" }, side.video, side.strip, side.none),
      h("figcaption", {}, side.label, side.shot));
    return side;
  }

  /** Show two nodes; the right one is where shots are taken from. */
  async open(a, b) {
    this.asked = [a, b];
    if (!await this.load()) return;
    this.slider.value = store.playhead;
    if (!this.dialog.open) this.dialog.showModal();
    this.showFrame();
  }

  async load() {
    const [a, b] = this.asked;
    const query = new URLSearchParams({ a, b });
    const reply = await store.ask(() => api.get(`${store.base}/compare?${query}`));
    if (!reply) return null;
    this.reply = reply;
    const project = store.document?.project;
    if (project) this.root.style.setProperty("--aspect", project.width / project.height);
    this.slider.max = Math.max(0, Math.max(reply.a.total_frames, reply.b.total_frames) - 1);
    const isCut = a === store.document?.node_id;
    setText(this.sides.a.label, isCut ? `The cut now: ${reply.a.label}` : reply.a.label);
    setText(this.sides.b.label, reply.b.label);
    this.showList();
    this.showFrame();
    return reply;
  }

  showList() {
    const rows = differenceRows(this.reply);
    setText(this.summary, rows.length ? `${rows.length === 1 ? "1 shot differs" : `${rows.length} shots differ`}` : "Both cuts are the same.");
    fill(this.list, rows.map(({ kind, id, fields, shot }) => h("li", { "data-shot": id },
      h("span", { class: "kind" }, KINDS[kind]),
      button(fields.length ? `${shot.name}: ${fields.join(", ")}` : shot.name, () => this.goTo(shot), { class: "plain", title: shot.prompt }),
      kind === "added" || kind === "changed"
        ? button("Bring into the cut", () => this.graft(id), { title: "Give the cut this shot as it is on the right, with its take" }) : null)));
  }

  goTo(shot) {
    this.slider.value = shot.start;
    this.showFrame();
  }

  async graft(shotId) {
    const followsCut = this.asked[0] === store.document?.node_id;
    const done = await store.step("graft", { node_id: this.asked[1], shot_id: shotId });
    if (!done) {
      setText(this.summary, store.lastRefusal);
      return;
    }
    if (followsCut) this.asked[0] = done.node_id;
    await this.load();
  }

  showFrame() {
    if (!this.reply) return;
    const frame = Number(this.slider.value);
    setText(this.time, format(frame, this.reply.a.rate));
    for (const name of ["a", "b"]) this.showSide(this.sides[name], this.reply[name], frame);
  }

  /** The film strip at once, the exact frame as soon as it is there. */
  async showSide(side, point, frame) {
    const here = shotAt(point, frame);
    const take = here?.shot.take;
    setText(side.shot, here ? here.shot.name : "");
    side.none.hidden = Boolean(take);
    side.video.hidden = side.strip.hidden = !take;
    setText(side.none, here ? `No take yet. ${here.shot.prompt}` : "The cut ends before this frame.");
    side.wanted = take ? `${take.media} ${here.frame}` : "";
    if (!take) return;
    const tile = tileAt(here.frame, take.num_frames, take.strip_tiles);
    side.strip.classList.remove("exact");
    side.strip.style.backgroundImage = `url("${encodeURI(take.strip)}")`;
    side.strip.style.backgroundSize = `${100 * take.strip_tiles}% 100%`;
    side.strip.style.backgroundPosition = `${take.strip_tiles > 1 ? (100 * tile) / (take.strip_tiles - 1) : 0}% 0`;
    await this.seek(side, take, here.frame, point.rate);
  }

  async seek(side, take, frame, rate) {
    const wish = side.wanted;
    if (side.isSeeking) return;
    side.isSeeking = true;
    try {
      await showFrame(side.video, take.media, frame, rate);
    } catch (error) {
      store.announce(error.message, "bad");
    } finally {
      side.isSeeking = false;
    }
    // While one frame was sought the slider may have moved on: only the newest wish counts.
    if (side.wanted === wish) side.strip.classList.add("exact");
    else if (side.wanted) this.showFrame();
  }
}

customElements.define("mnemo-versus", Versus);

/** Open the view of two nodes of the history. */
export function openVersus(a, b) {
  let element = document.querySelector("mnemo-versus");
  if (!element) {
    element = document.createElement("mnemo-versus");
    document.body.append(element);
  }
  element.open(a, b);
}
