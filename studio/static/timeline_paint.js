/** What the timeline draws on its canvas: ruler, film strips, memory lane; visible parts only. */

import { paintMemory } from "./memory_lane.js";
import { indexAt, lengthOf, rulerStep, tileAt } from "./model.js";
import { format, nominalRate } from "./timecode.js";

/** Rows of the timeline in pixels from its top. */
export const ROWS = { ruler: 24, shots: 26, strip: 70, shotHeight: 96, memory: 128, memoryHeight: 42, all: 176 };

const MAX_IMAGES = 240;
// With more shots in view they show the strips that are loaded already. Were all asked for, each
// drawing would throw away what the next one needs again.
const MOST_ASKED = 200;

/** Film strips by address, the newest `MAX_IMAGES` of them kept. */
export class Strips {
  #images = new Map();

  /** `onLoad` is called each time a strip can be drawn. */
  constructor(onLoad) {
    this.onLoad = onLoad;
  }

  /** The image if it is loaded; nothing is asked for. */
  peek(address) {
    const image = this.#images.get(address);
    return image?.complete && image.naturalWidth ? image : null;
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
  const names = ["page", "panel", "well", "raised", "line", "line-strong", "text", "dim", "faint", "accent", "warn", "focus", "mono", "font"];
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
  const image = view.isCrowded ? view.strips.peek(take.strip) : view.strips.get(take.strip);
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

/** Where a measurement has something to say: a small mark under the picture. */
function paintNotes(context, view, shot) {
  for (const note of view.notes(shot.shot_id)) {
    const x = Math.round(note.frame * view.scale - view.left);
    context.fillStyle = view.colours.warn;
    context.beginPath();
    context.moveTo(x, ROWS.memory - 8);
    context.lineTo(x + 8, ROWS.memory - 4);
    context.lineTo(x, ROWS.memory);
    context.fill();
  }
}

function paintRange(context, view) {
  const { range, left, scale, total, colours } = view;
  if (range.in === null && range.out === null) return;
  const from = (range.in ?? 0) * scale - left;
  const to = ((range.out ?? total - 1) + 1) * scale - left;
  context.fillStyle = colours.accent;
  context.globalAlpha = 0.22;
  context.fillRect(from, 0, to - from, ROWS.ruler);
  context.globalAlpha = 1;
  context.fillRect(from, ROWS.ruler - 3, to - from, 3);
  // Brackets only where an end was set: an open range runs to the end of the film.
  if (range.in !== null) paintBracket(context, from, 1);
  if (range.out !== null) paintBracket(context, to, -1);
}

function paintBracket(context, x, side) {
  context.fillRect(side > 0 ? x : x - 2, 2, 2, ROWS.ruler - 2);
  context.fillRect(side > 0 ? x : x - 6, 2, 6, 2);
}

/** A line down from each marker, so that it can be seen which picture it stands on. */
function paintMarkers(context, view) {
  context.fillStyle = view.colours.focus;
  context.globalAlpha = 0.55;
  for (const { frame } of view.markers) {
    const x = Math.round(frame * view.scale - view.left);
    if (x >= 0 && x < view.width) context.fillRect(x, ROWS.ruler, 1, ROWS.all - ROWS.ruler);
  }
  context.globalAlpha = 1;
}

const HATCH_PIXELS = 9;
const hatches = new WeakMap();

/** Diagonal lines as a pattern, made once for the colours of a page. */
function hatchOf(context, colours) {
  if (!hatches.has(colours)) {
    const tile = new OffscreenCanvas(HATCH_PIXELS, HATCH_PIXELS);
    const lines = tile.getContext("2d");
    lines.strokeStyle = colours.faint;
    lines.lineWidth = 1.5;
    // The corners are where the line of the neighbouring tile comes through.
    for (const at of [-HATCH_PIXELS, 0, HATCH_PIXELS]) {
      lines.moveTo(at - 2, HATCH_PIXELS + 2);
      lines.lineTo(at + HATCH_PIXELS + 2, -2);
    }
    lines.stroke();
    hatches.set(colours, context.createPattern(tile, "repeat"));
  }
  return hatches.get(colours);
}

/** Dim and hatch a shot that picture and memory leave out. */
function paintHatch(context, view, x, width) {
  const rows = [[ROWS.shots, ROWS.strip], [ROWS.memory, ROWS.memoryHeight]];
  context.save();
  // Anchored to the shot, so that the lines scroll with it.
  context.translate(x, 0);
  for (const [top, height] of rows) {
    context.globalAlpha = 0.62;
    context.fillStyle = view.colours.page;
    context.fillRect(0, top, width, height);
    context.globalAlpha = 0.8;
    context.fillStyle = hatchOf(context, view.colours);
    context.fillRect(0, top, width, height);
  }
  context.restore();
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
  const first = indexAt(starts, left / scale);
  const part = { ...view, isCrowded: last - first > MOST_ASKED };
  for (let index = first; index <= last; index += 1) {
    const shot = shots[index];
    const x = starts[index] * scale - left;
    const room = Math.max(1, lengthOf(shot) * scale - 1);
    if (shot.take && room > 3) paintStrip(context, part, shot, x, room);
    else {
      context.fillStyle = view.colours[shot.take ? "line-strong" : "raised"];
      context.fillRect(x, ROWS.shots, room, ROWS.strip);
    }
    paintMemory(context, view, shot, { x, top: ROWS.memory, width: room, height: ROWS.memoryHeight });
    if (shot.muted) paintHatch(context, view, x, room);
    paintNotes(context, view, shot);
  }
  paintMarkers(context, view);
}
