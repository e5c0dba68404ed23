/** What the timeline draws on its canvas: ruler, film strips, memory lane; visible parts only. */

import { indexAt, lengthOf, rulerStep, tileAt } from "./model.js";
import { format, nominalRate } from "./timecode.js";

/** Rows of the timeline in pixels from its top. */
export const ROWS = { ruler: 24, shots: 26, strip: 70, shotHeight: 96, memory: 128, memoryHeight: 42, all: 176 };

const MAX_IMAGES = 240;

/** Film strips by address, the newest `MAX_IMAGES` of them kept. */
export class Strips {
  #images = new Map();

  /** `onLoad` is called each time a strip can be drawn. */
  constructor(onLoad) {
    this.onLoad = onLoad;
  }

  /** The loaded image, or null while it is on its way. */
  get(address) {
    let image = this.#images.get(address);
    if (image) this.#images.delete(address);
    else {
      image = new Image();
      image.onload = this.onLoad;
      image.src = address;
    }
    this.#images.set(address, image);
    if (this.#images.size > MAX_IMAGES) this.#images.delete(this.#images.keys().next().value);
    return image.complete && image.naturalWidth ? image : null;
  }
}

/** Colours of the page as canvas needs them, read once per element. */
export function palette(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--mn-${name}`).trim();
  const names = ["page", "panel", "well", "raised", "line", "line-strong", "text", "dim", "faint", "accent", "mono", "font"];
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

function paintRuler(context, view) {
  const { left, width, scale, rate, colours } = view;
  context.fillStyle = colours.panel;
  context.fillRect(0, 0, width, ROWS.ruler);
  const step = rulerStep(scale, nominalRate(rate));
  const minor = step % 2 === 0 ? step / 2 : step;
  context.font = `10.5px ${colours.mono}`;
  context.textBaseline = "middle";
  for (let frame = Math.floor(left / scale / step) * step; frame * scale < left + width; frame += minor) {
    const x = Math.round(frame * scale - left);
    const isMajor = frame % step === 0;
    context.fillStyle = isMajor ? colours["line-strong"] : colours.line;
    context.fillRect(x, isMajor ? 4 : 16, 1, isMajor ? 20 : 8);
    if (!isMajor) continue;
    context.fillStyle = colours.dim;
    context.fillText(format(frame, rate), x + 5, 10);
  }
}

function paintStrip(context, view, shot, x, width) {
  const { take } = shot;
  const image = view.strips.get(take.strip);
  context.fillStyle = view.colours.well;
  context.fillRect(x, ROWS.shots, width, ROWS.strip);
  if (!image) return;
  const tileWidth = image.naturalWidth / take.strip_tiles;
  const drawn = (tileWidth / image.naturalHeight) * ROWS.strip;
  const first = Math.max(0, Math.floor(-x / drawn));
  for (let at = first; at * drawn < width && x + at * drawn < view.width; at += 1) {
    // Each picture shows the frame at its own left edge, so that it moves with a trim.
    const tile = tileAt(shot.in + (at * drawn) / view.scale, take.num_frames, take.strip_tiles);
    const room = Math.min(drawn, width - at * drawn);
    const source = (room / drawn) * tileWidth;
    context.drawImage(image, tile * tileWidth, 0, source, image.naturalHeight,
      x + at * drawn, ROWS.shots, room, ROWS.strip);
  }
}

function memoryText(shot, weight, isForgotten) {
  if (isForgotten) return "forgotten";
  if (weight > 0) return `fed ${Math.round(weight * 100)} %`;
  if (shot.muted) return "muted";
  if (shot.memory?.strength === 0) return "hard cut";
  if (!shot.take) return "";
  if (shot.take.kind === "footage") return "footage";
  return shot.take.memory_tokens ? `${shot.take.memory_tokens.toLocaleString("en")} tokens` : "reads nothing";
}

function paintMemory(context, view, shot, x, width) {
  const { colours, budget, weights } = view;
  const top = ROWS.memory;
  const isForgotten = view.forgotten.has(shot.shot_id);
  const weight = isForgotten ? 0 : weights.get(shot.take?.take_id) ?? 0;
  context.fillStyle = colours.well;
  context.fillRect(x, top, width, ROWS.memoryHeight);
  const share = Math.min(1, (shot.take?.memory_tokens ?? 0) / budget);
  const height = Math.round(share * (ROWS.memoryHeight - 4));
  context.fillStyle = weight ? colours.accent : colours["line-strong"];
  context.globalAlpha = weight ? 0.25 + 0.75 * weight : 1;
  if (weight) context.fillRect(x, top, width, 3);
  context.fillRect(x, top + ROWS.memoryHeight - height, width, height);
  context.globalAlpha = 1;
  if (width < 62) return;
  context.save();
  context.beginPath();
  context.rect(x, top, width - 4, ROWS.memoryHeight);
  context.clip();
  context.font = `11px ${colours.font}`;
  context.fillStyle = weight ? colours.accent : colours.dim;
  context.fillText(memoryText(shot, weight, isForgotten), x + 7, top + 13);
  context.restore();
}

function paintRange(context, view) {
  const { range, left, scale, total, colours } = view;
  if (range.in === null && range.out === null) return;
  const from = (range.in ?? 0) * scale - left;
  const to = ((range.out ?? total - 1) + 1) * scale - left;
  context.fillStyle = colours.accent;
  context.globalAlpha = 0.9;
  context.fillRect(from, ROWS.ruler - 3, to - from, 3);
  context.globalAlpha = 1;
}

/**
 * Draw the visible part of a cut. `view` has left and width in pixels, scale in pixels per frame,
 * shots with their starts, what fed the one chosen shot and what it forgets, and the token budget.
 */
export function paint(canvas, view) {
  const density = devicePixelRatio || 1;
  const [width, height] = [Math.round(view.width * density), Math.round(ROWS.all * density)];
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
    canvas.style.width = `${view.width}px`;
    canvas.style.height = `${ROWS.all}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, view.width, ROWS.all);
  context.fillStyle = view.colours.page;
  context.fillRect(0, ROWS.ruler, view.width, ROWS.all);
  paintRuler(context, view);
  paintRange(context, view);
  const { shots, starts, scale, left } = view;
  const last = Math.min(shots.length - 1, indexAt(starts, (left + view.width) / scale));
  for (let index = indexAt(starts, left / scale); index <= last; index += 1) {
    const shot = shots[index];
    const x = starts[index] * scale - left;
    const room = Math.max(1, lengthOf(shot) * scale - 1);
    if (shot.take && room > 3) paintStrip(context, view, shot, x, room);
    else {
      context.fillStyle = view.colours[shot.take ? "line-strong" : "raised"];
      context.fillRect(x, ROWS.shots, room, ROWS.strip);
    }
    paintMemory(context, view, shot, x, room);
  }
}
