/** The shots of the timeline as elements: what a pointer, a keyboard and a screen reader meet. */

import { h, setText } from "./dom.js";
import { bareEnds, indexAt, lengthOf, nameOf, titleOf } from "./model.js";
import { notes } from "./notes_state.js";
import { percent, staleText } from "./stale.js";
import { store } from "./store.js";
import { duration, format } from "./timecode.js";

// Beyond this many in view the canvas alone draws them; the selected and the busy stay elements.
const MOST_ELEMENTS = 96;

const PHASES = {
  loading: "loading the model", reading_memory: "reading memory", denoising: "step",
  decoding: "decoding", remembering: "remembering", saving: "saving", encoding: "encoding", pausing: "pausing after this step",
};

/** What a job is doing, in an editor's words. */
export function jobText(job) {
  if (job.state === "queued") return "waiting";
  if (job.state === "cancelling") return "stopping…";
  if (job.state === "paused") return "paused";
  const phase = PHASES[job.phase] ?? job.phase ?? "";
  const text = job.phase === "denoising" ? `step ${job.step} of ${job.num_steps}` : phase || "starting";
  return job.eta_seconds ? `${text} · ${duration(job.eta_seconds)} left` : text;
}

/** What a shot is: its take, whether that is stale, or the job that makes one. */
export function stateText(shot, job) {
  if (job?.state === "failed") return "failed";
  if (job) return `generating, ${jobText(job)}`;
  if (!shot.take) return "not generated";
  return shot.stale ? `take ${shot.take.number}, stale ${percent(shot.grade ?? 1)}` : `take ${shot.take.number}`;
}

function make(id) {
  const parts = {
    preview: h("img", { class: "preview", alt: "", draggable: "false" }),
    words: h("p", {}),
    name: h("b", {}), about: h("span", { class: "about" }), badge: h("span", { class: "badge" }),
    bar: h("i"), text: h("span"),
  };
  const working = h("div", { class: "working" }, parts.text, parts.bar);
  const caption = h("div", { class: "caption" }, parts.name, parts.about, parts.badge);
  const element = h("div", { role: "option", id: `shot-${id}`, "data-id": id }, parts.preview, h("div", { class: "words" }, parts.words),
    h("div", { class: "stale-mark" }), working, caption,
    h("i", { class: "handle", "data-edge": "in" }), h("i", { class: "handle", "data-edge": "out" }));
  return { element, parts };
}

function badgeText(shot) {
  const parts = [];
  if (shot.locked) parts.push("locked");
  if (shot.muted) parts.push("muted");
  if (shot.stale) parts.push(`stale ${percent(shot.grade ?? 1)}`);
  if (shot.num_takes > 1) parts.push(`take ${shot.take?.number ?? "–"}/${shot.num_takes}`);
  return parts.join(" · ");
}

/** The elements of the visible shots, made and thrown away as they come and go. */
export class ShotElements {
  #made = new Map();

  constructor(lane) {
    this.lane = lane;
  }

  /** Bring the elements of the visible part up to date. */
  update({ left, width, scale }) {
    const { shots, starts } = store;
    const seen = new Set();
    const first = indexAt(starts, left / scale);
    const last = Math.min(shots.length - 1, indexAt(starts, (left + width) / scale));
    const isDense = last - first > MOST_ELEMENTS;
    for (let index = first; index <= last; index += 1) {
      const id = shots[index].shot_id;
      if (isDense && !store.selection.has(id) && !store.jobOf(id)) continue;
      seen.add(id);
      this.#show(shots[index], index, scale);
    }
    for (const [id, { element }] of this.#made) {
      if (seen.has(id)) continue;
      element.remove();
      this.#made.delete(id);
    }
  }

  #show(shot, index, scale) {
    let made = this.#made.get(shot.shot_id);
    if (!made) {
      made = make(shot.shot_id);
      this.#made.set(shot.shot_id, made);
      this.lane.append(made.element);
    }
    const job = store.jobOf(shot.shot_id) ?? store.failureOf(shot.shot_id);
    const width = Math.max(2, lengthOf(shot) * scale - 1);
    const { element } = made;
    this.#place(made, store.starts[index] * scale, width);
    const drawn = [shot, job, classesOf(shot, job, width), store.selection.has(shot.shot_id),
      index, store.starts[index], store.shots.length, store.previews.get(shot.shot_id)];
    if (made.drawn && drawn.every((value, at) => value === made.drawn[at])) return;
    made.drawn = drawn;
    element.className = drawn[2];
    element.setAttribute("aria-selected", store.selection.has(shot.shot_id));
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", store.shots.length);
    element.setAttribute("aria-label",
      `${nameOf(shot, index)}, ${format(store.starts[index], store.rate)}, ${stateText(shot, job)}${notesText(shot)}`);
    const found = notes.of(shot.shot_id).map((note) => note.text);
    element.title = [staleText(shot), ...found].filter(Boolean).join("\n");
    this.#fill(made.parts, shot, index, job);
  }

  #place(made, left, width) {
    if (made.left !== left) made.element.style.transform = `translateX(${left}px)`;
    if (made.width !== width) made.element.style.width = `${width}px`;
    Object.assign(made, { left, width });
  }

  #fill(parts, shot, index, job) {
    const preview = store.previews.get(shot.shot_id)?.jpeg ?? null;
    if (!preview) parts.preview.removeAttribute("src");
    else if (parts.preview.getAttribute("src") !== preview) parts.preview.src = preview;
    setText(parts.words, shot.prompt);
    setText(parts.name, titleOf(shot) || String(index + 1));
    setText(parts.about, shot.prompt);
    setText(parts.badge, badgeText(shot));
    parts.badge.classList.toggle("stale", Boolean(shot.stale));
    if (!job) return;
    setText(parts.text, job.state === "failed" ? "Failed: see Queue" : jobText(job));
    parts.bar.style.transform = `scaleX(${job.state === "failed" ? 0 : job.done ?? 0})`;
  }
}

function notesText(shot) {
  const count = notes.of(shot.shot_id).length;
  return count ? `, ${count === 1 ? "1 note" : `${count} notes`}` : "";
}

function classesOf(shot, job, width) {
  const names = ["shot"];
  if (!shot.take) names.push("draft");
  if (shot.locked) names.push("locked");
  if (shot.muted) names.push("muted");
  if (shot.stale) names.push("stale");
  for (const end of bareEnds(shot)) names.push(`bare-${end}`);
  if (job) names.push(job.state === "failed" ? "failed" : "busy");
  if (width < 96) names.push("narrow");
  if (width < 28) names.push("tiny");
  return names.join(" ");
}
