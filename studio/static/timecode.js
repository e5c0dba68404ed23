/** Timecode: whole frames in, `HH:MM:SS:FF` out, and back. Pure, tested with node. */

/** Frames that one second of timecode counts: the rate rounded up (30 for 29.97). */
export function nominalRate([numerator, denominator]) {
  return Math.ceil(numerator / denominator);
}

/** Seconds that `frames` last at `rate`. */
export function seconds(frames, [numerator, denominator]) {
  return (frames * denominator) / numerator;
}

const pad = (number) => String(number).padStart(2, "0");

/** Write `frame` as `HH:MM:SS:FF`, non-drop. */
export function format(frame, rate) {
  const nominal = nominalRate(rate);
  const whole = Math.max(0, Math.round(frame));
  const second = Math.floor(whole / nominal);
  const parts = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return [...parts, whole % nominal].map(pad).join(":");
}

/**
 * Read what an editor types: `HH:MM:SS:FF`, `HH:MM:SS`, `MM:SS`, `SS`, each also with a full stop
 * after it (`12.` is twelve seconds). With a sign it counts from `playhead`: `+12` and `-12` are
 * frames, `+12.` and `+1:05` time. Returns the frame, or null where the text is none of these.
 */
export function parse(text, rate, playhead = 0) {
  const clean = text.trim();
  const sign = { "+": 1, "-": -1 }[clean[0]] ?? 0;
  const body = sign ? clean.slice(1) : clean;
  if (sign && /^\d+$/.test(body)) return Math.max(0, playhead + sign * Number(body));
  if (!/^\d+(:\d+){0,3}\.?$/.test(body)) return null;
  const fields = body.replace(".", "").split(":").map(Number);
  const nominal = nominalRate(rate);
  const frames = fields.length === 4 ? fields.pop() : 0;
  if (frames >= nominal) return null;
  const [second, minute = 0, hour = 0] = fields.reverse();
  const whole = ((hour * 60 + minute) * 60 + second) * nominal + frames;
  return sign ? Math.max(0, playhead + sign * whole) : whole;
}

/** Write a length for reading: `2.1 s`, `1 min 05 s`. */
export function duration(value) {
  if (value < 60) return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} s`;
  const whole = Math.round(value);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${pad(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Write how long ago `then` was: `just now`, `4 min ago`, `yesterday`, or the date. */
export function ago(then, now = Date.now()) {
  const passed = Math.max(0, now - new Date(then).getTime()) / 1000;
  if (Number.isNaN(passed)) return "";
  if (passed < 45) return "just now";
  if (passed < 3600) return `${Math.max(1, Math.round(passed / 60))} min ago`;
  if (passed < 86400) return `${Math.round(passed / 3600)} h ago`;
  if (passed < 172800) return "yesterday";
  return new Date(then).toISOString().slice(0, 10);
}
