/** Markers on the ruler: flags to see, click, drag and name. */

import { h, setText } from "./dom.js";
import { store } from "./store.js";
import { format } from "./timecode.js";

const LABEL_PIXELS = 46;

/** The flags of the visible markers, and the field in which one is named. */
export class Marks {
  #made = new Map();
  /** A marker on its way: its frame, and where it is dragged to. */
  #held = null;

  constructor(lane, onMove) {
    this.lane = lane;
    this.onMove = onMove;
    this.field = h("input", {
      class: "name", hidden: true, maxlength: 200, "aria-label": "Name of the marker", spellcheck: "false",
      on: { keydown: (event) => this.typed(event), blur: () => this.close(true) },
    });
    lane.append(this.field);
  }

  /** Bring the flags of the visible part up to date. */
  update({ left, width, scale }) {
    const seen = new Set();
    const shown = store.markers.map((marker) => ({ ...marker, at: marker.frame === this.#held?.frame ? this.#held.to : marker.frame }));
    shown.forEach((marker, index) => {
      const x = marker.at * scale;
      if (x < left - 200 || x > left + width + 20) return;
      const room = ((shown[index + 1]?.at ?? Infinity) - marker.at) * scale;
      seen.add(marker.frame);
      this.show(marker, x, room);
    });
    for (const [frame, { element }] of this.#made) {
      if (seen.has(frame)) continue;
      element.remove();
      this.#made.delete(frame);
    }
    if (!this.field.hidden) this.field.style.left = `${this.frame * scale + 8}px`;
  }

  show(marker, x, room) {
    let made = this.#made.get(marker.frame);
    if (!made) {
      const text = h("span", {});
      made = { element: h("div", { class: "flag", "data-frame": marker.frame }, text), text };
      this.#made.set(marker.frame, made);
      this.lane.append(made.element);
    }
    made.element.style.transform = `translateX(${x}px)`;
    made.element.style.maxWidth = `${Math.max(9, Math.min(180, room - 4))}px`;
    made.element.title = `${marker.label || "Marker"} · ${format(marker.at, store.rate)}`;
    setText(made.text, room > LABEL_PIXELS ? marker.label : "");
  }

  /** Drag a flag: `gestures` follows the pointer. A press without moving goes to the marker. */
  drag(event, frame, gestures) {
    const points = [...store.starts, store.playhead, ...gestures.range()];
    let to = frame;
    const move = (moved) => {
      if (to === frame && Math.abs(moved.clientX - event.clientX) < 4) return;
      to = Math.max(0, Math.round(gestures.snapped(moved, points)));
      this.#held = { frame, to };
      this.onMove();
    };
    gestures.track(event, move, (last) => {
      this.#held = null;
      if (last && to === frame) store.seek(frame);
      else if (last) this.moveTo(frame, to);
      this.onMove();
    });
  }

  moveTo(frame, to) {
    const isTaken = store.markers.some((marker) => marker.frame === to);
    if (isTaken) store.announce("There is a marker on that frame already.", "bad");
    else store.edit({ kind: "move_marker", frame, to });
  }

  /** Let the editor name the marker at `frame`. */
  rename(frame) {
    const marker = store.markers.find((one) => one.frame === frame);
    if (!marker) return;
    this.frame = frame;
    this.field.hidden = false;
    this.field.value = marker.label;
    this.onMove();
    this.field.focus({ preventScroll: true });
    this.field.select();
  }

  typed(event) {
    event.stopPropagation();
    if (event.key === "Enter") this.close(true);
    if (event.key === "Escape") this.close(false);
  }

  close(isKept) {
    if (this.field.hidden) return;
    const { value } = this.field;
    this.field.hidden = true;
    this.field.closest(".viewport").focus({ preventScroll: true });
    const marker = store.markers.find((one) => one.frame === this.frame);
    if (isKept && marker && marker.label !== value) {
      store.edit({ kind: "rename_marker", frame: this.frame, label: value });
    }
  }
}
