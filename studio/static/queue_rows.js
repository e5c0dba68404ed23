/** One job of the queue as a row: what it is, how far, when, and what can be done about it. */

import { button, fill, h, setText } from "./dom.js";
import { KINDS } from "./jobs.js";
import { store } from "./store.js";
import { duration } from "./timecode.js";
import { jobText } from "./timeline_shots.js";

/** What a job is called in its row. */
export function titleOf(job) {
  const kind = job.kind === "upload" ? "Upload" : KINDS[job.kind] ?? job.kind;
  const isOther = job.project_id && job.project_id !== store.projectId;
  if (isOther) return `${kind} · ${job.film || "another film"}`;
  const about = job.shot_id ? store.nameOf(job.shot_id) : job.name ?? job.about?.name ?? "";
  return about ? `${kind} · ${about}` : kind;
}

/** When a job begins or ends, as far as that was ever measured. */
export function timeText(job) {
  if (job.kind === "upload") return `${Math.round(100 * job.done)} %`;
  if (job.state === "failed") return "failed";
  if (job.state === "cancelling") return job.is_kept ? "keeping what there is…" : "stopping…";
  if (job.state === "running") return jobText(job);
  if (job.state === "paused") return "paused";
  const takes = job.seconds ? `${duration(job.seconds)}` : "time not measured yet";
  if (job.starts_in === null || job.starts_in === undefined) return `waiting · ${takes}`;
  return job.starts_in < 1 ? `next · ${takes}` : `in ${duration(job.starts_in)} · ${takes}`;
}

function aboutText(job) {
  const { prompt, seed, num_steps: steps, num_frames: frames } = job.about ?? {};
  const facts = [frames && `${frames} frames`, steps && `${steps} steps`, seed !== undefined && `seed ${seed}`];
  return [prompt, facts.filter(Boolean).join(" · ")].filter(Boolean).join(" · ");
}

/** The elements of one row; `does` says what its buttons do. */
export class Row {
  #shown = "";

  constructor(id, does) {
    this.does = does;
    this.picture = h("div", { class: "tile", "aria-hidden": "true" });
    this.name = h("b", { class: "clip" });
    this.state = h("span", { class: "dim small time" });
    this.about = h("div", { class: "dim small clip" });
    this.bar = h("i", {});
    this.track = h("div", { class: "bar" }, this.bar);
    this.message = h("div", { class: "message bad" });
    this.actions = h("div", { class: "row actions" });
    this.element = h("li", { "data-job": id, tabindex: 0, on: { keydown: (event) => this.#onKey(event) } },
      this.picture, h("div", { class: "body" }, h("div", { class: "row" }, this.name, this.state),
        this.about, this.track, this.message, this.actions));
  }

  update(job) {
    this.job = job;
    const isFailed = job.state === "failed";
    const isWaiting = job.state === "queued";
    setText(this.name, titleOf(job));
    setText(this.state, timeText(job));
    this.state.title = this.state.textContent;
    setText(this.about, aboutText(job));
    this.about.title = job.about?.prompt ?? "";
    this.state.title = job.waits ?? "";
    this.about.hidden = !this.about.textContent;
    this.track.hidden = isFailed || isWaiting;
    this.bar.style.transform = `scaleX(${job.done ?? 0})`;
    this.message.hidden = !isFailed;
    setText(this.message, job.message ?? "");
    this.picture.style.backgroundImage = job.strip ? `url("${encodeURI(job.strip)}")` : "";
    this.element.draggable = isWaiting;
    this.element.classList.toggle("waiting", isWaiting);
    this.element.classList.toggle("own", !job.project_id || job.project_id === store.projectId);
    this.element.setAttribute("aria-label", `${this.name.textContent}, ${this.state.textContent}`);
    const key = `${job.state} ${job.is_kept} ${job.project_id === store.projectId}`;
    if (this.#shown === key) return;
    this.#shown = key;
    fill(this.actions, this.#buttons(job));
  }

  #buttons(job) {
    const { does } = this;
    const plain = { class: "plain" };
    const small = (label, act, properties = plain) => button(label, () => act(this.job), properties);
    if (job.kind === "upload") return [];
    if (job.state === "failed") return [small("Retry", does.retry, {}), small("Dismiss", does.dismiss)];
    if (job.state === "running") {
      return [
        job.kind === "generate" ? small("Pause", does.pause, { class: "plain", title: "Stop after this step; it goes on from there later" }) : null,
        job.kind === "generate" ? small("Stop and keep", does.keep, { title: "Stop after this step; what there is by then becomes a take" }) : null,
        small("Cancel", does.cancel, { class: "plain danger", title: "Stop, and keep nothing of it" }),
      ];
    }
    if (job.state === "paused") {
      return [small("Resume", does.resume, { title: "Put it back in the queue; it goes on where it stood" }),
        small("Cancel", does.cancel, { class: "plain danger", title: "Drop what it has" })];
    }
    if (job.state === "cancelling") return job.is_kept ? [small("Discard", does.cancel, { class: "plain danger" })] : [];
    const isOwn = job.project_id === store.projectId && job.kind === "generate";
    return [
      small("↑", (one) => does.move(one, -1), { class: "plain icon", "aria-label": "Earlier", title: "Earlier (Alt+Up)" }),
      small("↓", (one) => does.move(one, 1), { class: "plain icon", "aria-label": "Later", title: "Later (Alt+Down)" }),
      isOwn ? small("Edit", does.edit, { class: "plain", title: "Change its shot: the waiting job follows (Enter)" }) : null,
      isOwn ? small("Duplicate", does.duplicate, { class: "plain", title: "Once more, with another seed (Ctrl+D)" }) : null,
      small("Cancel", does.cancel, { class: "plain danger", title: "Take it out of the queue (Delete)" }),
    ];
  }

  #onKey(event) {
    if (event.target !== this.element) return;
    const { job, does } = this;
    const isWaiting = job.state === "queued";
    const keys = {
      "Alt+ArrowUp": isWaiting && (() => does.move(job, -1)),
      "Alt+ArrowDown": isWaiting && (() => does.move(job, 1)),
      ArrowUp: () => this.element.previousElementSibling?.focus(),
      ArrowDown: () => this.element.nextElementSibling?.focus(),
      Enter: isWaiting && job.shot_id && (() => does.edit(job)),
      "Ctrl+d": isWaiting && job.kind === "generate" && (() => does.duplicate(job)),
      Delete: () => (job.state === "failed" ? does.dismiss(job) : does.cancel(job)),
    };
    const prefix = event.altKey ? "Alt+" : event.ctrlKey || event.metaKey ? "Ctrl+" : "";
    const act = keys[prefix + event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}
