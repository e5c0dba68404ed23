/** The picture a shot starts from and the one it lands on: dropped, chosen, or the neighbour's. */

import * as api from "./api.js";
import { pinWords } from "./anchors.js";
import { button, h, setText, StudioElement } from "./dom.js";
import { tileAt } from "./model.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

/** Name under which a dragged frame of the player travels. */
export const FRAME_TYPE = "application/x-mnemoreel-frame";
const EDGES = [["start", "Start frame"], ["end", "End frame"]];

const styles = sheet(`
.root { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
.slot { border: 1px dashed var(--mn-line-strong); border-radius: 5px; padding: 8px; display: grid; gap: 6px; align-content: start; min-width: 0; }
.slot.over { border-color: var(--mn-accent); background: var(--mn-accent-soft); }
.slot.set { border-style: solid; }
.picture { aspect-ratio: var(--aspect, 1); background: var(--mn-well) center / cover no-repeat; border-radius: 3px; display: grid; place-items: center; text-align: center; color: var(--mn-dim); font-size: 11px; padding: 4px; overflow: hidden; }
.words { font-size: 12px; min-height: 18px; }
.choices { display: flex; flex-wrap: wrap; gap: 4px; }
.choices button { min-height: 24px; padding: 0 7px; font-size: 12px; }
`);

/** The frame under the playhead as a pin, or null over a shot without a take. */
export function framePinOf(film) {
  const here = film.current;
  if (!here?.shot.take) return null;
  return { source: "take", take_id: here.shot.take.take_id, frame: here.shot.in + here.offset };
}

/** Let the picture of `element` be dragged onto a slot. */
export function dragFrame(element, pictureOf) {
  element.draggable = true;
  element.addEventListener("dragstart", (event) => {
    const pin = framePinOf(store);
    if (!pin) {
      event.preventDefault();
      return;
    }
    event.dataTransfer.effectAllowed = "copy";
    event.dataTransfer.setData(FRAME_TYPE, JSON.stringify(pin));
    const picture = pictureOf();
    if (picture) event.dataTransfer.setDragImage(picture, 20, 20);
  });
}

class Pins extends StudioElement {
  static topics = ["document", "selection", "focus", "project"];
  static styles = [styles];

  build() {
    this.slots = Object.fromEntries(EDGES.map(([edge, label]) => [edge, this.slot(edge, label)]));
    this.root.append(...EDGES.map(([edge]) => this.slots[edge].box));
  }

  slot(edge, label) {
    const isStart = edge === "start";
    const picture = h("div", { class: "picture" });
    const words = h("span", { class: "words dim clip" });
    const here = button("Use this frame", () => this.useFrame(edge), {
      title: `The frame in the player becomes the ${edge} frame`,
    });
    const beside = button(isStart ? "Continue" : "Land on next", () => this.pin(edge, { source: "neighbour" }), {
      title: isStart ? "Start from the last frame of the shot before" : "End with the first frame of the next shot",
    });
    const file = h("input", { type: "file", accept: "image/*", hidden: true, on: {
      change: () => file.files[0] && this.upload(edge, file.files[0]),
    } });
    const clear = button("Clear", () => this.pin(edge, null), { class: "plain" });
    const choose = button("Picture…", () => file.click(), { class: "plain" });
    const box = h("div", { class: "slot", "data-edge": edge, role: "group", "aria-label": label },
      h("h3", {}, label), picture, words, h("div", { class: "choices" }, here, beside, choose, clear), file);
    this.acceptDrop(box, edge);
    return { box, picture, words, here, beside, choose, clear };
  }

  acceptDrop(box, edge) {
    box.addEventListener("dragover", (event) => {
      const { types } = event.dataTransfer ?? {};
      if (!types?.includes(FRAME_TYPE) && !types?.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      box.classList.add("over");
    });
    box.addEventListener("dragleave", () => box.classList.remove("over"));
    box.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      box.classList.remove("over");
      const told = event.dataTransfer.getData(FRAME_TYPE);
      const [file] = event.dataTransfer.files;
      if (told) this.pin(edge, JSON.parse(told));
      else if (file) this.upload(edge, file);
    });
  }

  useFrame(edge) {
    const pin = framePinOf(store);
    if (pin) this.pin(edge, pin);
    else store.announce("There is no take under the playhead: move it over the frame that is meant.", "bad");
  }

  pin(edge, value) {
    const shot = store.focus;
    if (shot) store.edit({ kind: "set", shot_id: shot.shot_id, fields: { [edge]: value } });
  }

  async upload(edge, file) {
    const shotId = store.focus?.shot_id;
    const path = `${store.base}/stills?name=${encodeURIComponent(file.name)}`;
    const still = await store.ask(() => api.upload(path, file, () => {}));
    if (!still || !shotId) return;
    const value = { source: "still", digest: still.digest };
    store.edit({ kind: "set", shot_id: shotId, fields: { [edge]: value } });
  }

  refresh() {
    const shot = store.focus;
    const cut = store.document;
    if (!shot || !cut) return;
    this.style.setProperty("--aspect", cut.project.width / cut.project.height);
    const index = store.indexOf(shot.shot_id);
    for (const [edge] of EDGES) {
      const isStart = edge === "start";
      const { box, picture, words, here, beside, choose, clear } = this.slots[edge];
      const pin = shot.params?.[edge] ?? null;
      box.classList.toggle("set", Boolean(pin));
      box.dataset.source = pin?.source ?? "";
      setText(words, pinWords(pin, isStart, (takeId) => this.nameOfTake(takeId)));
      this.paint(picture, pin, isStart, index);
      clear.hidden = !pin;
      here.disabled = Boolean(shot.locked);
      beside.disabled = shot.locked || !store.shots[index + (isStart ? -1 : 1)];
      choose.disabled = clear.disabled = Boolean(shot.locked);
    }
  }

  nameOfTake(takeId) {
    const shot = store.shots.find((one) => one.take?.take_id === takeId);
    return shot ? `${store.nameOf(shot.shot_id)}, take ${shot.take.number}` : "";
  }

  /** Show what a pin stands for: a tile of the take's strip, or the still itself. */
  paint(picture, pin, isStart, index) {
    const found = this.pictureOf(pin, isStart, index);
    setText(picture, found ? "" : pin ? "No picture yet" : "Drop a frame of the player, or a picture");
    picture.style.backgroundImage = found ? `url("${encodeURI(found.address)}")` : "";
    picture.style.backgroundSize = found?.tiles ? `${found.tiles * 100}% 100%` : "";
    picture.style.backgroundPosition = found?.tiles ? `${found.tiles > 1 ? (100 * found.tile) / (found.tiles - 1) : 0}% 0` : "";
  }

  pictureOf(pin, isStart, index) {
    if (!pin) return null;
    if (pin.source === "still") return { address: `/media/${pin.digest}.png` };
    let shown = store.shots.find((shot) => shot.take?.take_id === pin.take_id);
    let { frame } = pin;
    if (pin.source === "neighbour") {
      const beside = isStart ? store.shots.slice(0, index).reverse() : store.shots.slice(index + 1);
      shown = beside.find((shot) => !shot.muted);
      frame = isStart ? (shown?.out ?? 1) - 1 : shown?.in;
    }
    const take = shown?.take;
    if (!take) return null;
    return { address: take.strip, tiles: take.strip_tiles, tile: tileAt(frame, take.num_frames, take.strip_tiles) };
  }
}

customElements.define("mnemo-pins", Pins);
