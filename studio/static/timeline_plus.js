/** Adding a shot by mouse: a + on the cut under the pointer, and one after the last shot. */

import { run } from "./commands.js";
import { h } from "./dom.js";
import { indexAt } from "./model.js";
import { store } from "./store.js";
import { ROWS } from "./timeline_paint.js";
import { insertAt } from "./verbs.js";

const NEAR_PIXELS = 14;
// Between shots narrower than this a + would hide what it stands on.
const ROOM_PIXELS = 44;

/** The two buttons of one timeline. */
export class Plus {
  constructor(timeline, viewport, lane) {
    this.timeline = timeline;
    const make = (name, label) => h("button", {
      type: "button", class: name, tabindex: -1, "aria-label": label, title: label,
      on: { click: () => this.add(name === "plus" ? this.index : store.shots.length) },
    }, "+");
    this.between = make("plus", "Add a shot here");
    this.last = make("plus-end", "Add a shot at the end");
    this.between.hidden = true;
    lane.append(this.between, this.last);
    viewport.addEventListener("pointermove", (event) => this.look(event));
    viewport.addEventListener("pointerleave", () => this.hide());
  }

  add(index) {
    this.hide();
    insertAt(index, () => run("editPrompt"));
  }

  hide() {
    this.between.hidden = true;
  }

  /** Show the + on the cut that the pointer is near to. */
  look(event) {
    const { timeline } = this;
    const y = event.clientY - timeline.viewport.getBoundingClientRect().top;
    const frame = timeline.frameAt(event.clientX);
    const isOnShots = y > ROWS.shots && y < ROWS.shots + ROWS.shotHeight && frame < store.total;
    if (timeline.isDragging || event.buttons || !isOnShots) return this.hide();
    const { starts } = store;
    const index = indexAt(starts, frame);
    const nearest = frame - starts[index] < starts[index + 1] - frame ? index : index + 1;
    const isNear = Math.abs(frame - starts[nearest]) * timeline.scale <= NEAR_PIXELS;
    const isWide = (starts[index + 1] - starts[index]) * timeline.scale >= ROOM_PIXELS;
    if (!isNear || !isWide || nearest === store.shots.length) return this.hide();
    this.index = nearest;
    this.between.hidden = false;
    this.between.style.left = `${starts[nearest] * timeline.scale}px`;
    return null;
  }

  update({ scale }) {
    this.last.hidden = !store.document;
    this.last.style.left = `${store.total * scale + 8}px`;
    if (this.index > store.shots.length) this.hide();
  }
}
