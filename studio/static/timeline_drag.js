/** What a pointer does on the timeline: scrub, select, reorder, trim. Esc takes any of them back. */

import { importFootage } from "./footage.js";
import { insertionAt, lengthOf, nearestLength, rangeOf, snap, trimmed } from "./model.js";
import { store } from "./store.js";
import { ROWS } from "./timeline_paint.js";

const SNAP_PIXELS = 7;
const MOVE_PIXELS = 4;
const EDGE_PIXELS = 32;

/** Pointer gestures on one timeline. */
export class Gestures {
  constructor(timeline, viewport) {
    this.timeline = timeline;
    this.viewport = viewport;
    viewport.addEventListener("pointerdown", (event) => this.down(event));
    viewport.addEventListener("dblclick", (event) => this.double(event));
    viewport.addEventListener("drop", (event) => this.drop(event));
  }

  down(event) {
    if (event.button !== 0 || !store.document) return;
    const y = event.clientY - this.viewport.getBoundingClientRect().top;
    if (y > ROWS.all) return;
    this.viewport.focus({ preventScroll: true });
    const frame = this.timeline.frameAt(event.clientX);
    const here = frame < store.total && y >= ROWS.shots ? store.at(frame) : null;
    if (!here) this.scrub(event);
    else if (y >= ROWS.memory) this.remember(event, frame);
    else this.onShot(event, here);
  }

  onShot(event, here) {
    const edge = event.composedPath()[0].dataset?.edge;
    if (!edge) return this.choose(event, here.shot);
    const id = event.composedPath()[0].closest(".shot").dataset.id;
    return this.trim(event, store.shots[store.indexOf(id)], edge);
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

  scrub(event) {
    document.querySelector("mnemo-player")?.stop();
    const marks = [store.range.in, store.range.out].filter((mark) => mark !== null);
    const go = (moved) => {
      this.timeline.scrollAtEdge(moved.clientX, EDGE_PIXELS);
      store.seek(Math.floor(this.snapped(moved, [...store.starts, ...marks])));
    };
    go(event);
    this.track(event, go, () => this.timeline.schedule());
  }

  remember(event, frame) {
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

  trim(event, shot, edge) {
    document.querySelector("mnemo-player")?.stop();
    store.select([shot.shot_id]);
    const index = store.indexOf(shot.shot_id);
    const start = store.starts[index];
    const original = store.shots;
    const from = this.timeline.frameAt(event.clientX);
    let op = null;
    const move = (moved) => {
      const frame = this.snapped(moved, [store.playhead, store.playhead + 1]);
      op = this.trimOp(shot, edge, Math.round(frame - from));
      const change = op.kind === "trim" ? { in: op.in, out: op.out } : { in: 0, out: op.fields.num_frames };
      store.hold(original.map((other) => (other === shot ? { ...shot, ...change } : other)));
      const length = change.out - change.in;
      this.timeline.showLength(start, length, change.out - change.in - lengthOf(shot), this.isAtEnd(shot, op));
      store.seek(edge === "in" ? start : start + length - 1);
    };
    this.track(event, move, (last) => {
      this.timeline.showLength(null);
      const isChange = op && (op.kind === "set" ? op.fields.num_frames !== shot.num_frames
        : op.in !== shot.in || op.out !== shot.out);
      store.release(last && isChange ? op : null);
    });
  }

  /** A take is trimmed; a shot without one gets another length, of those the model can make. */
  trimOp(shot, edge, delta) {
    if (shot.take) return { kind: "trim", shot_id: shot.shot_id, ...trimmed(shot, edge, delta) };
    const { frame_multiple: multiple = 1, max_frames: max = Infinity } = store.engine.info ?? {};
    const asked = Math.max(1, lengthOf(shot) + delta);
    const frames = Number.isFinite(max) ? nearestLength(asked, multiple, max) : asked;
    return { kind: "set", shot_id: shot.shot_id, fields: { num_frames: frames } };
  }

  isAtEnd(shot, op) {
    return op.kind === "trim" && (op.in === 0 || op.out === shot.take.num_frames);
  }

  double(event) {
    if (event.composedPath()[0].closest?.(".shot")) {
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
