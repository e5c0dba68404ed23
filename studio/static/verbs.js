/** Verbs on the cut as keys, buttons and menus call them: about the selection, else the playhead. */

import { lengthOf, slipped } from "./model.js";
import { store } from "./store.js";
import { format } from "./timecode.js";
import { keep } from "./view.js";

/** Ids of the selected shots in order; without a selection, of the shot under the playhead. */
export function chosen() {
  if (store.selection.size) {
    return store.shots.filter((shot) => store.selection.has(shot.shot_id)).map((shot) => shot.shot_id);
  }
  return store.current ? [store.current.shot.shot_id] : [];
}

const shotsOf = (ids) => store.shots.filter((shot) => ids.includes(shot.shot_id));
const refuse = (text) => store.announce(text, "bad");

/** Split the shot under the playhead. */
export function split() {
  const here = store.current;
  if (!here || !here.offset) return refuse("A shot is split inside of it: move the playhead off the cut.");
  return store.edit({ kind: "split", shot_id: here.shot.shot_id, frame: here.offset });
}

/** Trim the start ("in") or the end ("out") of the shot under the playhead to it. */
export function trim(edge) {
  const here = store.current;
  if (!here?.offset) return null;
  const { shot, offset } = here;
  if (!shot.take) return refuse("A shot without a take is not trimmed: change its length instead.");
  const point = shot.in + offset;
  const span = edge === "in" ? { in: point, out: shot.out } : { in: shot.in, out: point };
  const done = store.edit({ kind: "trim", shot_id: shot.shot_id, ...span });
  if (edge === "in") store.seek(store.starts[here.index]);
  return done;
}

/** Show an earlier (-1) or later (1) part of the take of the focused shot, without moving its cuts. */
export function slip(frames) {
  const shot = store.focus;
  if (!shot?.take) return refuse("A shot without a take has nothing to slip.");
  const span = slipped(shot, frames);
  if (span.in === shot.in) return refuse(`${store.nameOf(shot.shot_id)} has no handle left on that side.`);
  return store.edit({ kind: "trim", shot_id: shot.shot_id, ...span });
}

/** Take the selected shots out; what follows moves up. */
export function remove() {
  return store.selection.size ? store.edit({ kind: "delete", shot_ids: chosen() }) : null;
}

/** Leave the selected shots empty: their prompts and their room stay. */
export function clear() {
  if (!store.selection.size) return null;
  return store.edit({ kind: "clear", shot_ids: chosen() });
}

/** Put copies after the selected shots. */
export function duplicate() {
  return chosen().length ? store.edit({ kind: "duplicate", shot_ids: chosen() }) : null;
}

/** Turn a flag of the chosen shots on; where all of them have it, off. One operation. */
export function toggleFlag(name) {
  const ids = chosen();
  if (!ids.length) return null;
  const isOn = shotsOf(ids).every((shot) => shot[name]);
  return store.edit({ kind: "set", shot_ids: ids, fields: { [name]: !isOn } });
}

/** Whether exactly `ids` are heard of: every other shot is muted. */
export function isSolo(ids) {
  return store.shots.length > ids.length
    && store.shots.every((shot) => Boolean(shot.muted) !== ids.includes(shot.shot_id));
}

/** Mute every shot but the chosen ones; where that is so already, unmute all. */
export function solo() {
  const ids = chosen();
  if (!ids.length) return null;
  return store.edit({ kind: "solo", shot_ids: isSolo(ids) ? [] : ids });
}

/** Add an empty shot before the shot at `index`, with `fields` set, choose it, and call `then`. */
export async function insertAt(index, then = () => {}, fields = {}) {
  const known = new Set(store.shots.map((shot) => shot.shot_id));
  await store.edit({ kind: "insert", before: store.shots[index]?.shot_id ?? null, prompt: "", fields });
  const made = store.shots.find((shot) => !known.has(shot.shot_id));
  if (!made) return;
  store.select([made.shot_id]);
  store.seek(store.starts[store.indexOf(made.shot_id)]);
  then();
}

/** Add an empty shot after (1) or before (0) the chosen ones. */
export function insert(after, then) {
  const ids = chosen();
  const at = ids.length ? store.indexOf(after ? ids.at(-1) : ids[0]) + after : 0;
  return insertAt(at, then);
}

const NEIGHBOUR = { source: "neighbour" };

/** Add a shot that goes on from the last frame of the chosen one. */
export function goOn(then) {
  const ids = chosen();
  if (!ids.length) return refuse("There is no shot to go on from.");
  return insertAt(store.indexOf(ids.at(-1)) + 1, then, { start: NEIGHBOUR });
}

/** Add a shot that leads from the chosen one to the first frame of the next. */
export function bridge(then) {
  const ids = chosen();
  const index = ids.length ? store.indexOf(ids.at(-1)) + 1 : store.shots.length;
  if (index >= store.shots.length) return refuse("There is no shot after this one to lead to.");
  return insertAt(index, then, { start: NEIGHBOUR, end: NEIGHBOUR });
}

/** Move the chosen shots one place earlier (-1) or later (1). */
export function moveBy(places) {
  const ids = chosen();
  if (!ids.length) return null;
  const edge = store.indexOf(places < 0 ? ids[0] : ids.at(-1));
  if (places < 0 ? edge === 0 : edge === store.shots.length - 1) return null;
  const before = places < 0 ? store.shots[edge - 1] : store.shots[edge + 2];
  return store.edit({ kind: "move", shot_ids: ids, before: before?.shot_id ?? null });
}

/** Set In ("in") or Out ("out") at `frame`. */
export function mark(edge, frame = store.playhead) {
  const range = { ...store.range, [edge]: frame };
  if (range.in !== null && range.out !== null && range.in > range.out) {
    range[edge === "in" ? "out" : "in"] = null;
  }
  setRange(range);
}

/** Set the range, null = open at that end. */
export function setRange(range) {
  store.range = range;
  keep(store, { range });
  store.emit("range");
}

/** Let the range be that of the chosen shots. */
export function markChosen() {
  const indices = chosen().map((id) => store.indexOf(id));
  if (indices.length) setRange({ in: store.starts[indices[0]], out: store.starts[indices.at(-1) + 1] - 1 });
}

/** Go to In or Out. */
export function toMark(edge) {
  const frame = store.range[edge];
  if (frame === null) refuse(`There is no ${edge === "in" ? "In" : "Out"} yet.`);
  else store.seek(frame);
}

/** Select every shot that shows a frame of the range. */
export function selectRange() {
  const { in: first, out: last } = store.range;
  if (first === null && last === null) return refuse("There is no range: set In and Out first.");
  const isInside = (_, index) => store.starts[index + 1] > (first ?? 0) && store.starts[index] <= (last ?? Infinity);
  return store.select(store.shots.filter(isInside).map((shot) => shot.shot_id));
}

const markerAt = (frame) => store.markers.find((marker) => marker.frame === frame);

/** Add a marker at the playhead; on one, `edit` its name. */
export function addMarker(edit, frame = store.playhead) {
  if (markerAt(frame)) return edit(frame);
  return store.edit({ kind: "add_marker", frame, label: "" });
}

/** Name the marker at the playhead with `edit`. */
export function editMarker(edit) {
  if (markerAt(store.playhead)) edit(store.playhead);
  else refuse("There is no marker at the playhead.");
}

/** Delete the marker at the playhead. */
export function deleteMarker() {
  if (!markerAt(store.playhead)) return refuse("There is no marker at the playhead.");
  return store.edit({ kind: "delete_markers", frames: [store.playhead] });
}

/** Move the marker at the playhead, and the playhead with it, by `frames`. */
export function nudgeMarker(frames) {
  const [from, to] = [store.playhead, store.playhead + frames];
  if (!markerAt(from)) return refuse("There is no marker at the playhead.");
  if (to < 0 || markerAt(to)) return refuse("A marker cannot go there: the frame is taken.");
  store.edit({ kind: "move_marker", frame: from, to });
  return store.seek(to);
}

/** Go to the next marker (1) or the one before (-1). */
export function toMarker(direction) {
  const inFilm = store.markers.filter((marker) => marker.frame < store.total);
  const found = direction > 0 ? inFilm.find((marker) => marker.frame > store.playhead)
    : inFilm.findLast((marker) => marker.frame < store.playhead);
  if (!found) {
    store.announce(direction > 0 ? "No marker after this." : "No marker before this.");
    return;
  }
  store.seek(found.frame);
  store.announce(`${found.label || "Marker"} · ${format(found.frame, store.rate)}`);
}

/** Go to the next cut (1) or the one before (-1). */
export function toCut(direction) {
  const here = store.current;
  if (!here) return;
  const start = store.starts[here.index];
  if (direction > 0) store.seek(store.starts[here.index + 1]);
  else store.seek(here.offset ? start : store.starts[Math.max(0, here.index - 1)]);
}

/** Go to the first frame of the shot under the playhead, or to its last. */
export function toEdge(isEnd) {
  const here = store.current;
  if (!here) return;
  const start = store.starts[here.index];
  store.seek(isEnd ? start + lengthOf(here.shot) - 1 : start);
}
