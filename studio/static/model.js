/** The cut as the page computes with it: lengths, places, edits ahead of the server. Pure. */

/** Frames of the cut that a shot fills. */
export const lengthOf = (shot) => shot.out - shot.in;

/** First frame of every shot in the cut, and the end of the last one as a final element. */
export function startsOf(shots) {
  const starts = [0];
  for (const shot of shots) starts.push(starts.at(-1) + lengthOf(shot));
  return starts;
}

/** Index of the shot that shows `frame`; the nearest one outside of the cut. */
export function indexAt(starts, frame) {
  let low = 0;
  let high = Math.max(0, starts.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= frame) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index before which something dropped at `frame` goes: the nearest border between two shots. */
export function insertionAt(starts, frame) {
  const index = indexAt(starts, frame);
  if (starts.length < 2) return 0;
  return frame > (starts[index] + starts[index + 1]) / 2 ? index + 1 : index;
}

/** The one of `points` within `tolerance` of `frame`, else `frame` itself. */
export function snap(frame, points, tolerance) {
  let best = frame;
  let distance = tolerance;
  for (const point of points) {
    const away = Math.abs(point - frame);
    if (away <= distance) [best, distance] = [point, away];
  }
  return best;
}

/** `shots` with those of `ids` moved, in their order, before the shot `before` (null = the end). */
export function reorder(shots, ids, before) {
  const chosen = new Set(ids);
  const moved = shots.filter((shot) => chosen.has(shot.shot_id));
  const rest = shots.filter((shot) => !chosen.has(shot.shot_id));
  const anchor = shots.findIndex((shot) => shot.shot_id === before);
  const place = anchor < 0 ? rest.length
    : shots.slice(0, anchor).filter((shot) => !chosen.has(shot.shot_id)).length;
  return [...rest.slice(0, place), ...moved, ...rest.slice(place)];
}

/** Ids of the shots from `first` to `last`, whichever comes first. */
export function rangeOf(shots, first, last) {
  const a = shots.findIndex((shot) => shot.shot_id === first);
  const b = shots.findIndex((shot) => shot.shot_id === last);
  if (a < 0 || b < 0) return [last];
  return shots.slice(Math.min(a, b), Math.max(a, b) + 1).map((shot) => shot.shot_id);
}

/** `in` and `out` of a shot with a take after one edge moved by `delta` frames. */
export function trimmed(shot, edge, delta) {
  const available = shot.take ? shot.take.num_frames : shot.out;
  if (edge === "in") {
    return { in: Math.max(0, Math.min(shot.out - 1, shot.in + delta)), out: shot.out };
  }
  return { in: shot.in, out: Math.max(shot.in + 1, Math.min(available, shot.out + delta)) };
}

/** Lengths in frames that the model can generate: 1 + multiple * k, up to `max`. */
export function legalLengths(multiple, max) {
  const lengths = [];
  for (let frames = 1 + multiple; frames <= max; frames += multiple) lengths.push(frames);
  return lengths;
}

/** The legal length nearest to `frames`. */
export function nearestLength(frames, multiple, max) {
  const steps = Math.max(1, Math.round((frames - 1) / multiple));
  return Math.min(1 + multiple * steps, 1 + multiple * Math.floor((max - 1) / multiple));
}

const IN_PARAMS = new Set(["seed", "num_steps", "guidance", "recipe"]);

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

/**
 * `shots` as they will be after `op`, shown before the server has answered. Returns null for
 * operations that only the server can do (they make new ids or choose another take).
 */
export function applyOp(shots, op) {
  const change = (id, edit) => shots.map((shot) => (shot.shot_id === id ? edit(shot) : shot));
  if (op.kind === "move") return reorder(shots, op.shot_ids, op.before);
  if (op.kind === "trim") return change(op.shot_id, (s) => ({ ...s, in: op.in, out: op.out }));
  if (op.kind === "set") return change(op.shot_id, (shot) => withFields(shot, op.fields));
  if (op.kind === "set_memory") {
    const memory = { pins: op.pins, forgotten: op.forgotten };
    return change(op.shot_id, (shot) => ({ ...shot, memory: { ...shot.memory, ...memory } }));
  }
  if (op.kind === "delete") {
    const gone = new Set(op.shot_ids);
    return shots.filter((shot) => !gone.has(shot.shot_id));
  }
  return null;
}

/** Ids of the shots that `op` is about. */
export function subjectsOf(op) {
  return op.shot_ids ?? (op.shot_id ? [op.shot_id] : []);
}

/**
 * Whether `op`, made while seeing `before`, still means the same on `after`: its shots are there
 * and nobody changed what it changes. Then it is sent again; else the editor decides.
 */
export function stillApplies(op, before, after) {
  const old = new Map(before.map((shot) => [shot.shot_id, shot]));
  const now = new Map(after.map((shot) => [shot.shot_id, shot]));
  const ids = subjectsOf(op);
  if (!ids.every((id) => now.has(id) && old.has(id))) return false;
  if (op.before && !now.has(op.before)) return false;
  if (op.kind === "trim" || op.kind === "split") {
    return ids.every((id) =>
      old.get(id).in === now.get(id).in && old.get(id).out === now.get(id).out);
  }
  if (op.kind === "set") {
    const value = (shot, name) => JSON.stringify(fieldOf(shot, name));
    return ids.every((id) => Object.keys(op.fields).every((name) =>
      value(old.get(id), name) === value(now.get(id), name)));
  }
  return true;
}

/** Value of a field of `set` in a shot, wherever it is kept. */
export function fieldOf(shot, name) {
  if (IN_PARAMS.has(name)) return shot.params?.[name];
  if (name === "strength") return shot.memory?.strength;
  if (name === "memory_system") return shot.memory?.system;
  return shot[name];
}

/** Tile of a film strip that shows `frame` of its take. */
export function tileAt(frame, numFrames, tiles) {
  return Math.max(0, Math.min(tiles - 1, Math.floor((frame * tiles) / Math.max(1, numFrames))));
}

/** Frames between two labels of the ruler, so that labels are at least `room` pixels apart. */
export function rulerStep(scale, nominal, room = 92) {
  const half = nominal % 2 === 0 ? [nominal / 2] : [];
  const steps = [1, 2, ...half, nominal, 2 * nominal, 5 * nominal, 10 * nominal, 30 * nominal];
  const longer = [60, 120, 300, 600, 1800, 3600].map((length) => length * nominal);
  return [...steps, ...longer].sort((a, b) => a - b).find((step) => step * scale >= room)
    ?? 7200 * nominal;
}

/** Pixels per frame that show the whole cut in `width` pixels. */
export function fitScale(total, width) {
  return Math.min(28, Math.max(0.02, (width - 48) / Math.max(1, total)));
}

/** Words of `prompt` that the model does not know; none where its vocabulary is open. */
export function unknownWords(prompt, vocabulary) {
  if (!vocabulary?.length) return [];
  const known = new Set(vocabulary);
  const words = prompt.toLowerCase().match(/[a-z'-]+/g) ?? [];
  return [...new Set(words.filter((word) => !known.has(word)))];
}

/** The title an editor gave a shot; a mere number, as an import gives it, is none. */
export function titleOf(shot) {
  return /^\d*$/.test(shot.title ?? "") ? "" : shot.title;
}

/** A name an editor knows a shot by: its title, else its place in the cut. */
export function nameOf(shot, index) {
  return titleOf(shot) || `Shot ${index + 1}`;
}
