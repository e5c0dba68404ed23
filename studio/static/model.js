/** The cut as the page computes with it: lengths, places, edits ahead of the server. Pure. */

/** Frames of the cut that a shot fills. */
export const lengthOf = (shot) => shot.out - shot.in;

/** First frame of every shot in the cut, and the end of the last one as a final element. */
export function startsOf(shots) {
  const starts = [0];
  for (const shot of shots) starts.push(starts.at(-1) + lengthOf(shot));
  return starts;
}

/**
 * The shots of a document of which some are told as ids alone: those are the ones of `before`, the
 * very same objects, so that what draws them sees that nothing changed.
 */
export function withKnown(told, before) {
  const known = new Map(before.map((shot) => [shot.shot_id, shot]));
  let start = 0;
  return told.map((one) => {
    let shot = typeof one === "string" ? known.get(one) : one;
    // An edit before a shot moves it, which is no news of the shot.
    if (shot.start !== start) shot = { ...shot, start };
    start += lengthOf(shot);
    return shot;
  });
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

/** `in` and `out` of a shot with a take that shows a part `delta` frames later, as far as there is one. */
export function slipped(shot, delta) {
  const available = shot.take ? shot.take.num_frames : shot.out;
  const by = Math.max(-shot.in, Math.min(available - shot.out, delta));
  return { in: shot.in + by, out: shot.out + by };
}

/** Ends of a shot where its take has no frame left to show: none of "in" and "out", one, or both. */
export function bareEnds(shot) {
  if (!shot.take) return [];
  return [...(shot.in === 0 ? ["in"] : []), ...(shot.out >= shot.take.num_frames ? ["out"] : [])];
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

/** The title an editor gave a shot; a mere number, as an import gives it, is none. */
export function titleOf(shot) {
  return /^\d*$/.test(shot.title ?? "") ? "" : shot.title;
}

/** A name an editor knows a shot by: its title, else its place in the cut. */
export function nameOf(shot, index) {
  return titleOf(shot) || `Shot ${index + 1}`;
}
