/** Edits ahead of the server: what a cut becomes, as the server will say too. Pure. */

import { lengthOf, nearestLength, reorder, startsOf } from "./model.js";

const IN_PARAMS = new Set(["seed", "num_steps", "guidance", "recipe", "start", "end"]);

function withFields(shot, fields) {
  const changed = { ...shot, params: { ...shot.params }, memory: { ...shot.memory } };
  for (const [name, value] of Object.entries(fields)) {
    if (IN_PARAMS.has(name)) changed.params[name] = value;
    else if (name === "strength") changed.memory.strength = value;
    else if (name === "memory_system") changed.memory.system = value;
    else changed[name] = value;
  }
  if ("num_frames" in fields && !shot.take) [changed.in, changed.out] = [0, fields.num_frames];
  return changed;
}

/** A shot without its take, as long as the model can make it nearest to what it was. */
function emptied(shot, facts) {
  if (!shot.take) return shot;
  const frames = nearestLength(lengthOf(shot), facts.frame_multiple, facts.max_frames);
  return { ...shot, take: null, take_id: null, num_frames: frames, in: 0, out: frames };
}

/** The shots after `op`, or null where only the server knows them. */
function shotsAfter(shots, op, facts) {
  const ids = new Set(subjectsOf(op));
  const change = (edit) => shots.map((shot) => (ids.has(shot.shot_id) ? edit(shot) : shot));
  switch (op.kind) {
    case "move": return reorder(shots, op.shot_ids, op.before);
    case "trim": return change((shot) => ({ ...shot, in: op.in, out: op.out }));
    case "set": return change((shot) => withFields(shot, op.fields));
    case "delete": return shots.filter((shot) => !ids.has(shot.shot_id));
    case "clear": return facts ? change((shot) => emptied(shot, facts)) : null;
    case "solo":
      return shots.map((shot) => ({ ...shot, muted: ids.size > 0 && !ids.has(shot.shot_id) }));
    case "set_memory": {
      const memory = { pins: op.pins, forgotten: op.forgotten };
      return change((shot) => ({ ...shot, memory: { ...shot.memory, ...memory } }));
    }
    default: return null;
  }
}

const MARKER_EDITS = {
  add_marker: (markers, op) => [...markers, { frame: op.frame, label: op.label ?? "" }],
  rename_marker: (markers, op) => markers.map((one) => (one.frame === op.frame ? { ...one, label: op.label } : one)),
  move_marker: (markers, op) => markers.map((one) => (one.frame === op.frame ? { ...one, frame: op.to } : one)),
  delete_markers: (markers, op) => markers.filter((one) => !op.frames.includes(one.frame)),
};

const inOrder = (markers) => [...markers].sort((a, b) => a.frame - b.frame);

/**
 * `{ shots, markers }` as they will be after `op`, shown before the server has answered. `facts` are
 * the model's lengths, null while they are not known. Returns null for operations that only the
 * server can do (they make new ids or choose another take).
 */
export function applyEdit({ shots, markers = [] }, op, facts = null) {
  if (op.kind in MARKER_EDITS) return { shots, markers: inOrder(MARKER_EDITS[op.kind](markers, op)) };
  const after = shotsAfter(shots, op, facts);
  return after && { shots: after, markers: carried(markers, shots, after) };
}

/** Where frame `offset` of a shot went: the index of a shot, and the frame inside of it. */
function placeAfter(before, index, offset, after, places) {
  const shot = before[index];
  if (!places.has(shot.shot_id)) {
    const left = before.slice(index + 1).find((other) => places.has(other.shot_id));
    return [left ? places.get(left.shot_id) : after.length, 0];
  }
  const place = places.get(shot.shot_id);
  const home = after[place];
  const last = lengthOf(home) - 1;
  if (home.take?.take_id !== shot.take?.take_id) return [place, Math.min(offset, last)];
  return [place, Math.max(0, Math.min(shot.in + offset - home.in, last))];
}

/**
 * Markers of the shots `before` as they stand on the shots `after`: each stays on its picture, else
 * on the nearest frame of its shot, else at the next shot that is left. No two share a frame.
 */
export function carried(markers, before, after) {
  if (!markers.length) return markers;
  const [old, now] = [startsOf(before), startsOf(after)];
  const places = new Map(after.map((shot, index) => [shot.shot_id, index]));
  const taken = new Set();
  return inOrder(markers.map((marker) => {
    const index = before.findIndex((_, at) => marker.frame < old[at + 1]);
    let frame = now.at(-1) + marker.frame - old.at(-1);
    if (index >= 0) {
      const [place, offset] = placeAfter(before, index, marker.frame - old[index], after, places);
      frame = now[place] + offset;
    }
    while (taken.has(frame)) frame += 1;
    taken.add(frame);
    return { ...marker, frame };
  }));
}

/** Ids of the shots that `op` is about. */
export function subjectsOf(op) {
  return op.shot_ids ?? (op.shot_id ? [op.shot_id] : []);
}

const labelAt = (cut, frame) => cut.markers?.find((one) => one.frame === frame)?.label;

/** Whether the markers that `op` names are the same in both cuts, and its place is still free. */
function sameMarkers(op, before, after) {
  if (op.kind === "add_marker") return labelAt(after, op.frame) === undefined;
  if (op.kind === "move_marker" && labelAt(after, op.to) !== undefined) return false;
  const frames = op.frames ?? [op.frame];
  return frames.every((frame) => labelAt(after, frame) !== undefined
    && labelAt(before, frame) === labelAt(after, frame));
}

/**
 * Whether `op`, made while seeing the cut `before`, still means the same on `after`: what it is
 * about is there and nobody changed what it changes. Then it is sent again; else the editor decides.
 */
export function stillApplies(op, before, after) {
  if (op.kind in MARKER_EDITS) return sameMarkers(op, before, after);
  const old = new Map(before.shots.map((shot) => [shot.shot_id, shot]));
  const now = new Map(after.shots.map((shot) => [shot.shot_id, shot]));
  const ids = subjectsOf(op);
  if (!ids.every((id) => now.has(id) && old.has(id))) return false;
  if (op.before && !now.has(op.before)) return false;
  const isSame = (read) => ids.every((id) => JSON.stringify(read(old.get(id))) === JSON.stringify(read(now.get(id))));
  if (op.kind === "trim" || op.kind === "split") return isSame((shot) => [shot.in, shot.out]);
  if (op.kind === "clear") return isSame((shot) => shot.take?.take_id ?? null);
  if (op.kind === "set") return isSame((shot) => Object.keys(op.fields).map((name) => fieldOf(shot, name)));
  return true;
}

/** Value of a field of `set` in a shot, wherever it is kept. */
export function fieldOf(shot, name) {
  if (IN_PARAMS.has(name)) return shot.params?.[name];
  if (name === "strength") return shot.memory?.strength;
  if (name === "memory_system") return shot.memory?.system;
  return shot[name];
}
