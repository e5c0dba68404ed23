/** What a pointer does on the timeline: scrub, select, reorder. Esc takes any of them back. */

import { importFootage } from "./footage.js";
import { insertionAt, rangeOf, snap } from "./model.js";
import { store } from "./store.js";
import { ROWS } from "./timeline_paint.js";
import { Trims } from "./timeline_trim.js";

const SNAP_PIXELS = 7;
const MOVE_PIXELS = 4;
const EDGE_PIXELS = 32;

/** Pointer gestures on one timeline. */
export class Gestures {
  constructor(timeline, viewport) {
    this.timeline = timeline;
    this.viewport = viewport;
    this.trims = new Trims(timeline, this);
    viewport.addEventListener("pointerdown", (event) => this.down(event));
    viewport.addEventListener("dblclick", (event) => this.double(event));
    viewport.addEventListener("drop", (event) => this.drop(event));
  }

  down(event) {
    const target = event.composedPath()[0];
    if (event.button !== 0 || !store.document || target.closest?.("button, input")) return;
    const y = event.clientY - this.viewport.getBoundingClientRect().top;
    if (y > ROWS.all) return;
    this.viewport.focus({ preventScroll: true });
    const flag = target.closest?.(".flag");
    const frame = this.timeline.frameAt(event.clientX);
    const isOnShots = frame < store.total && y < ROWS.shots + ROWS.shotHeight;
    if (flag) this.timeline.marks.drag(event, Number(flag.dataset.frame), this);
    else if (y < ROWS.shots) this.scrub(event);
    else if (isOnShots) this.onShot(event, store.at(frame));
    else this.band(event, frame);
  }

  onShot(event, here) {
    const target = event.composedPath()[0];
    const { edge } = target.dataset ?? {};
    if (event.altKey && !edge) return this.trims.slip(event, here.shot);
    if (!edge) return this.choose(event, here.shot);
    const id = target.closest(".shot").dataset.id;
    return this.trims.trim(event, store.shots[store.indexOf(id)], edge);
  }

  /** Follow a pointer until it is let go; `end` gets the last event, or null where it was cancelled. */
  track(event, move, end) {
    const { viewport } = this;
    const listeners = new AbortController();
    const finish = (last) => {
      listeners.abort();
      this.timeline.isDragging = false;
      end(last);
    };
    const options = { signal: listeners.signal };
    this.timeline.isDragging = true;
    viewport.setPointerCapture(event.pointerId);
    viewport.addEventListener("pointermove", move, options);
    viewport.addEventListener("pointerup", finish, options);
    viewport.addEventListener("pointercancel", () => finish(null), options);
    addEventListener("keydown", (key) => {
      if (key.key !== "Escape") return;
      key.stopPropagation();
      finish(null);
    }, { ...options, capture: true });
  }

  snapped(event, points) {
    const frame = this.timeline.frameAt(event.clientX);
    if (event.shiftKey || !store.snapping) return frame;
    return snap(frame, points, SNAP_PIXELS / this.timeline.scale);
  }

  /** In and Out where they are set: they catch what is dragged. */
  range() {
    return [store.range.in, store.range.out].filter((mark) => mark !== null);
  }

  scrub(event) {
    document.querySelector("mnemo-player")?.stop();
    const points = [...store.starts, ...this.range(), ...store.markers.map((marker) => marker.frame)];
    const go = (moved) => {
      this.timeline.scrollAtEdge(moved.clientX, EDGE_PIXELS);
      store.seek(Math.floor(this.snapped(moved, points)));
    };
    const from = store.playhead;
    go(event);
    this.track(event, go, (last) => {
      if (!last) store.seek(from);
      this.timeline.schedule();
    });
  }

  /** A rubber band over empty room or the memory lane; a press without moving is a click there. */
  band(event, from) {
    const before = { ids: [...store.selection], anchor: store.anchor };
    const isAdding = event.shiftKey || event.ctrlKey || event.metaKey;
    let ids = null;
    const move = (moved) => {
      if (!ids && Math.abs(moved.clientX - event.clientX) < MOVE_PIXELS) return;
      this.timeline.scrollAtEdge(moved.clientX, EDGE_PIXELS);
      const [first, last] = [from, this.timeline.frameAt(moved.clientX)].sort((a, b) => a - b);
      const inside = store.shots.filter((_, at) => store.starts[at + 1] > first && store.starts[at] < last);
      ids = inside.map((shot) => shot.shot_id);
      this.timeline.showBand(first, last);
      store.select(isAdding ? [...new Set([...before.ids, ...ids])] : ids);
    };
    this.track(event, move, (last) => {
      this.timeline.showBand(null);
      if (!last) store.select(before.ids, before.anchor);
      else if (!ids && from < store.total) this.remember(from);
      else if (!ids && !isAdding) store.select([]);
    });
  }

  remember(frame) {
    store.seek(Math.floor(frame));
    this.timeline.dispatchEvent(new CustomEvent("recall-frame", { bubbles: true, composed: true }));
  }

  choose(event, shot) {
    const id = shot.shot_id;
    const wasChosen = store.selection.has(id);
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (event.shiftKey && store.anchor) store.select(rangeOf(store.shots, store.anchor, id), store.anchor);
    else if (!isPlain) this.toggle(id);
    else if (!wasChosen) store.select([id]);
    this.reorder(event, isPlain, shot);
  }

  toggle(id) {
    const ids = new Set(store.selection);
    if (ids.has(id)) ids.delete(id);
    else ids.add(id);
    store.select([...ids], ids.has(id) ? id : [...ids].at(-1) ?? null);
  }

  reorder(event, isPlain, shot) {
    let before;
    const move = (moved) => {
      if (before === undefined && Math.abs(moved.clientX - event.clientX) < MOVE_PIXELS) return;
      this.timeline.scrollAtEdge(moved.clientX, EDGE_PIXELS);
      const place = insertionAt(store.starts, this.timeline.frameAt(moved.clientX));
      before = store.shots.slice(place).find((other) => !store.selection.has(other.shot_id))?.shot_id ?? null;
      this.timeline.showInsertion(store.starts[place]);
    };
    const end = (last) => {
      this.timeline.showInsertion(null);
      if (last && before !== undefined) this.moveBefore(before);
      else if (last && isPlain) this.click(event, shot);
    };
    this.track(event, move, end);
  }

  click(event, shot) {
    store.select([shot.shot_id]);
    store.seek(Math.floor(this.timeline.frameAt(event.clientX)));
  }

  moveBefore(before) {
    const ids = store.shots.filter((shot) => store.selection.has(shot.shot_id)).map((shot) => shot.shot_id);
    const rest = store.shots.filter((shot) => !store.selection.has(shot.shot_id));
    const place = before === null ? rest.length : rest.findIndex((shot) => shot.shot_id === before);
    const order = [...rest.slice(0, place).map((shot) => shot.shot_id), ...ids];
    const isSame = order.every((id, index) => store.shots[index].shot_id === id);
    if (!isSame) store.edit({ kind: "move", shot_ids: ids, before });
  }

  double(event) {
    const target = event.composedPath()[0];
    const flag = target.closest?.(".flag");
    if (flag) this.timeline.marks.rename(Number(flag.dataset.frame));
    else if (target.closest?.(".shot")) {
      this.timeline.dispatchEvent(new CustomEvent("edit-prompt", { bubbles: true, composed: true }));
    }
  }

  async drop(event) {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    for (const file of files) await importFootage(file);
  }
}
