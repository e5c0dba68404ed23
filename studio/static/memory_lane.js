/** The memory lane under the shots: tokens of the budget, what fed the chosen shot, fidelity. */

import { colourOf, meanOf, momentsOf, spansOf } from "./fidelity.js";
import { lengthOf } from "./model.js";
import { store } from "./store.js";

const BAR = { top: 21, height: 4 };
const HEAT = { top: 30, height: 12 };

/** What the one chosen shot reads: shares by take, and what is forgotten, pinned or left out. */
export function readingOf() {
  const [only] = store.selection.size === 1 ? [...store.selection] : [];
  const shot = store.shots[store.indexOf(only)];
  const sources = shot?.take?.sources ?? [];
  return {
    weights: new Map(sources.map((source) => [source.take_id, source.weight])),
    forgotten: new Set(shot?.memory?.forgotten ?? []),
    pins: new Set(shot?.memory?.pins ?? []),
    over: overBudgetOf(shot),
  };
}

/** Ids of the shots that the budget leaves out of what a shot reads: the oldest ones not pinned. */
export function overBudgetOf(shot) {
  if (!shot?.reads?.over_budget) return new Set();
  const first = shot.reads.from === null ? store.indexOf(shot.shot_id) : store.indexOf(shot.reads.from);
  const { pins, forgotten } = shot.memory;
  const older = store.shots.slice(0, first).filter((other) => other.take && !other.muted);
  return new Set(older.map((other) => other.shot_id).filter((id) => !pins.includes(id) && !forgotten.includes(id)));
}

function textOf(shot, view, weight) {
  if (view.forgotten.has(shot.shot_id)) return "forgotten";
  if (view.over.has(shot.shot_id)) return "over budget";
  const pin = view.pins.has(shot.shot_id) ? "pinned · " : "";
  if (weight > 0) return `${pin}fed ${Math.round(weight * 100)} %`;
  if (shot.muted) return "muted";
  if (shot.memory?.strength === 0) return `${pin}hard cut`;
  if (!shot.take) return pin ? "pinned" : "";
  if (shot.take.kind === "footage") return `${pin}footage`;
  const tokens = shot.take.memory_tokens;
  return pin + (tokens ? `${tokens.toLocaleString("en")} tokens` : "reads nothing");
}

function paintHeat(context, shot, { x, top, width }, colours) {
  if (!shot.take) return;
  const scale = width / lengthOf(shot);
  for (const { from, to, psnr } of spansOf(shot)) {
    const [left, right] = [(from - shot.in) * scale, (to - shot.in) * scale];
    if (psnr !== null) {
      context.fillStyle = colourOf(psnr);
      context.fillRect(x + left, top, right - left, HEAT.height);
      continue;
    }
    context.fillStyle = colours["line-strong"];
    for (let at = left; at < right; at += 4) context.fillRect(x + at, top, 1, HEAT.height);
  }
}

/** Draw the memory of one shot. `view` is what the timeline draws from, `box` where. */
export function paintMemory(context, view, shot, box) {
  const { colours, budget } = view;
  const { x, top, width, height } = box;
  const isLeftOut = view.forgotten.has(shot.shot_id) || view.over.has(shot.shot_id);
  const weight = isLeftOut ? 0 : view.weights.get(shot.take?.take_id) ?? 0;
  context.fillStyle = colours.well;
  context.fillRect(x, top, width, height);
  if (weight) {
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.25 + 0.75 * weight;
    context.fillRect(x, top, width, 3);
    context.globalAlpha = 1;
  }
  context.fillStyle = colours.line;
  context.fillRect(x, top + BAR.top, width, BAR.height);
  const tokens = shot.take ? shot.take.memory_tokens ?? 0 : shot.reads?.tokens ?? 0;
  context.fillStyle = weight ? colours.accent : colours["line-strong"];
  const filled = Math.min(width, width * (tokens / budget));
  context.fillRect(x, top + BAR.top, tokens ? Math.max(2, filled) : 0, BAR.height);
  paintHeat(context, shot, { x, top: top + HEAT.top, width }, colours);
  if (width < 62) return;
  const mean = meanOf(momentsOf(shot));
  const parts = [textOf(shot, view, weight), mean === null ? "" : `${mean.toFixed(0)} dB`];
  context.save();
  context.beginPath();
  context.rect(x, top, width - 4, height);
  context.clip();
  context.font = `11px ${colours.font}`;
  context.fillStyle = weight ? colours.accent : colours.dim;
  context.fillText(parts.filter(Boolean).join(" · "), x + 7, top + 12);
  context.restore();
}
