/** How well memory holds each shot: asked for while the page looks, measured while nothing waits. */

import * as api from "./api.js";
import { debounce } from "./dom.js";
import { store } from "./store.js";

const SETTLE_MS = 800;
const AGAIN_MS = 6000;
/** Decibels at which the strip is red, and at which it is green. */
export const WORST = 12;
export const BEST = 28;

const known = new Map();
let timer = 0;

/** Moments `{frame, psnr, ssim}` of a shot's take, or null while they are not measured. */
export function momentsOf(shot) {
  const found = known.get(shot.shot_id);
  return found && found.take === shot.take?.take_id ? found.moments : null;
}

/** Mean PSNR of a shot in dB over the moments that memory holds; null where there is none. */
export function meanOf(moments) {
  const values = (moments ?? []).map((moment) => moment.psnr).filter((value) => value !== null);
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

/** Colour of a fidelity: dark red through amber to light green, in order without hues too. */
export function colourOf(psnr) {
  const share = Math.max(0, Math.min(1, (psnr - WORST) / (BEST - WORST)));
  return `hsl(${Math.round(8 + share * 132)} 58% ${Math.round(30 + share * 28)}%)`;
}

/** Spans of a shot: frames of its take from `from` to before `to` that one moment stands for. */
export function spansOf(shot) {
  const moments = momentsOf(shot) ?? [];
  return moments.map((moment, index) => ({
    // Each moment stands for the frames up to halfway to its neighbours.
    from: Math.max(shot.in, index ? (moments[index - 1].frame + moment.frame) / 2 : 0),
    to: Math.min(shot.out, index + 1 < moments.length ? (moment.frame + moments[index + 1].frame) / 2 : shot.take.num_frames),
    psnr: moment.psnr,
  })).filter(({ from, to }) => to > from);
}

/** Fidelity of the whole film as the background of a thin bar; empty while nothing is measured. */
export function gradientOfFilm(rest) {
  const stops = [];
  const put = (colour, from, to) => {
    const percent = (frame) => `${((100 * frame) / store.total).toFixed(3)}%`;
    stops.push(`${colour} ${percent(from)} ${percent(to)}`);
  };
  store.shots.forEach((shot, index) => {
    const start = store.starts[index] - shot.in;
    const spans = shot.take ? spansOf(shot) : [];
    if (!spans.length) put(rest, store.starts[index], store.starts[index + 1]);
    for (const { from, to, psnr } of spans) put(psnr === null ? rest : colourOf(psnr), start + from, start + to);
  });
  return stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "none";
}

async function read() {
  clearTimeout(timer);
  const { projectId } = store;
  if (!projectId || !store.document || store.engine.state !== "ready") return;
  const shown = new Map(store.shots.map((shot) => [shot.shot_id, shot.take?.take_id]));
  try {
    const reply = await api.post(`${store.base}/fidelity`);
    if (projectId !== store.projectId) return;
    for (const [id, { moments }] of Object.entries(reply.shots)) known.set(id, { moments, take: shown.get(id) });
    if (reply.missing) timer = setTimeout(read, AGAIN_MS);
    store.emit("fidelity");
  } catch (error) {
    // Nothing that an editor asked for: it is tried again with the next change.
    if (!(error instanceof api.Refused)) throw error;
  }
}

const settle = debounce(read, SETTLE_MS);

/** Follow the open film: called once. */
export function watchFidelity() {
  for (const topic of ["document", "engine"]) store.addEventListener(topic, settle);
  store.addEventListener("project", () => known.clear());
  store.addEventListener("jobs", ({ detail }) => {
    if (detail?.some((job) => job.kind === "measure" && job.state === "done")) settle();
  });
}
