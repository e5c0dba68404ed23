/** What a take is anchored to, in frames and in words: ranges, variations, pinned frames. Pure. */

const FRAMES_PER_LATENT = 4;

const latentOf = (frame) => (frame === 0 ? 0 : 1 + Math.floor((frame - 1) / FRAMES_PER_LATENT));

/**
 * Frames that are really made anew for frames `from` to `to` (the one after the last) of a take of
 * `length` frames: latent frames are whole, the first stands for 1 frame, each later one for 4.
 */
export function redoneRange(from, to, length) {
  const first = latentOf(from);
  const last = latentOf(to - 1);
  return {
    in: first ? FRAMES_PER_LATENT * (first - 1) + 1 : 0,
    out: Math.min(length, FRAMES_PER_LATENT * last + 1),
  };
}

/** Frames of a shot's take inside of the marked `range` of the cut; null = the marks miss it. */
export function markedFrames(shot, start, range) {
  if (range.in === null && range.out === null) return null;
  const first = Math.max(shot.in, shot.in + (range.in ?? 0) - start);
  const stop = Math.min(shot.out, shot.in + (range.out ?? Infinity) - start + 1);
  return first < stop ? { in: first, out: stop } : null;
}

/** How far a variation goes, in words. */
export function strengthWords(strength) {
  if (strength >= 1) return "made from nothing";
  if (strength >= 0.75) return "keeps little more than the place of things";
  if (strength >= 0.5) return "keeps the composition";
  if (strength >= 0.25) return "keeps figures, changes details";
  return "hardly to be told from the take";
}

const span = ({ in: from, out }) => (out - from === 1 ? `frame ${from}` : `frames ${from} to ${out - 1}`);

/** What a stored take was made from beside its prompt, as short sentences. */
export function madeWords({ base, start, end } = {}, numFrames = 0) {
  const words = [];
  if (base) {
    const of = base.number ? `take ${base.number}` : "a take that is gone";
    const far = base.strength < 1 ? `${Math.round(base.strength * 100)} % ` : "";
    if (base.in === 0 && base.out >= numFrames) words.push(`${far}variation of ${of}`);
    else words.push(`${span(base)} of ${of} made anew${far ? `, ${far.trim()} far` : ""}`);
  }
  if (start) words.push("starts from a pinned frame");
  if (end) words.push("lands on a pinned frame");
  return words;
}

/** What a pin stands for; `nameOfTake` names the shot that shows a take, or gives "". */
export function pinWords(pin, isStart, nameOfTake) {
  if (!pin) return "";
  if (pin.source === "still") return "A picture of your own";
  if (pin.source === "neighbour") return isStart ? "Last frame of the shot before" : "First frame of the next shot";
  const name = nameOfTake(pin.take_id);
  return `Frame ${pin.frame} of ${name || "an earlier take"}`;
}
