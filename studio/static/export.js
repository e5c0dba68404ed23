/** Export: the cut as one video file, with a title card where one is wanted. */

import * as api from "./api.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { cancel, finished } from "./jobs.js";
import { lengthOf } from "./model.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { duration, seconds } from "./timecode.js";

const styles = sheet(`
video { width: 100%; max-height: 260px; background: #000; border-radius: 4px; display: block; }
.done { display: grid; gap: 10px; }
a.button { display: inline-flex; align-items: center; justify-content: center; min-height: 32px; padding: 4px 14px; border-radius: 4px; background: var(--mn-accent); color: var(--mn-on-accent); font-weight: 600; text-decoration: none; }
a.button:hover { background: var(--mn-accent-hover); }
.start { min-height: 32px; }
.note { padding: 8px 10px; border-radius: 4px; background: var(--mn-well); border-left: 3px solid var(--mn-warn); font-size: 12.5px; }
`);

/** What keeps a film of the `shown` shots from being made, or nothing; the server says the same. */
function lacking(shown, drafts) {
  if (!shown.length) return "Every shot is muted. Unmute one: a film shows something.";
  if (drafts.length === shown.length) return "No shot has a take yet. Generate all first: a film is made of takes.";
  if (!drafts.length) return "";
  const numbers = drafts.map((shot) => store.shots.indexOf(shot) + 1).join(", ");
  return drafts.length === 1
    ? `Shot ${numbers} has no take yet. Generate it, or mute it to leave it out.`
    : `Shots ${numbers} have no take yet. Generate them, or mute them to leave them out.`;
}

class Export extends StudioElement {
  static topics = ["document", "jobs", "project"];
  static styles = [panel, styles];

  build() {
    this.job = null;
    this.card = h("input", { maxlength: 120, placeholder: "None", "aria-label": "Title card" });
    this.start = button("Export video", () => this.begin(), { class: "primary start" });
    this.facts = h("p", { class: "dim small" });
    this.missing = h("p", { class: "note", hidden: true });
    this.bar = h("i");
    this.state = h("span", { class: "grow small" });
    this.stop = button("Cancel", () => cancel(this.job), { class: "plain" });
    this.progress = h("section", { hidden: true }, h("div", { class: "row" }, this.state, this.stop),
      h("div", { class: "bar" }, this.bar));
    this.problem = h("p", { class: "bad small", hidden: true });
    this.result = h("section", { class: "split done", hidden: true, role: "status" });
    this.root.append(h("section", {}, h("label", { class: "field" }, h("span", {}, "Title card"), this.card),
      this.facts, this.missing), this.start, this.progress, this.problem, this.result);
    store.addEventListener("project", () => {
      this.job = null;
      this.start.classList.add("primary");
      setText(this.start, "Export video");
      this.result.hidden = true;
      this.problem.hidden = true;
    });
  }

  refresh() {
    const shown = store.shots.filter((shot) => !shot.muted);
    const drafts = shown.filter((shot) => !shot.take);
    const frames = shown.filter((shot) => shot.take).reduce((sum, shot) => sum + lengthOf(shot), 0);
    setText(this.facts, store.shots.length
      ? `${frames} frames, ${duration(seconds(frames, store.rate))}, H.264 mp4`
      : "The film has no shots yet. Import a storyboard or a video to begin.");
    setText(this.missing, lacking(shown, drafts));
    this.missing.hidden = !store.shots.length || !this.missing.textContent;
    const running = this.running();
    this.start.disabled = Boolean(running) || !shown.length || drafts.length > 0;
    this.progress.hidden = !running;
    if (!running) return;
    setText(this.state, running.state === "queued" ? "Waiting" : `Exporting, ${Math.round(100 * (running.done ?? 0))} %`);
    this.bar.style.transform = `scaleX(${running.done ?? 0})`;
    if (this.job !== running.id) this.follow(running.id);
  }

  running() {
    for (const job of store.jobs.values()) {
      if (job.kind === "export" && ["queued", "running", "cancelling"].includes(job.state)) return job;
    }
    return null;
  }

  async begin() {
    this.start.disabled = true;
    this.problem.hidden = true;
    const body = { title_card: this.card.value.trim() || null };
    const reply = await store.ask(() => api.post(`${store.base}/export`, body));
    if (!reply) return this.refresh();
    const isDone = this.follow(reply.job);
    await store.load();
    await isDone;
    return this.refresh();
  }

  /** Show the file once the job is done, also one that was running when the page was opened. */
  async follow(job) {
    this.job = job;
    this.result.hidden = true;
    const over = await store.ask(() => finished(job));
    if (!over || this.job !== job) return;
    if (over.state === "done") this.show(over.result);
    else if (over.state === "failed") {
      this.problem.hidden = false;
      setText(this.problem, over.error?.message ?? "The export failed.");
    }
    this.schedule();
  }

  show({ media, num_frames: frames, name }) {
    const file = name || "film.mp4";
    const video = h("video", { src: media, controls: true, preload: "metadata", playsinline: true });
    const link = { class: "button", href: `${media}?download=${encodeURIComponent(file)}`, download: file };
    fill(this.result, h("span", { class: "small clip", title: file }, `${file} · ${frames} frames`),
      h("a", link, "Download"), video,
      h("p", { class: "dim small" }, "The file knows how its shots were made: drop it on the list of films, or on this page, and they are back."));
    // One thing to do next: the file is made, so downloading it comes first.
    this.start.classList.remove("primary");
    setText(this.start, "Export again");
    this.result.hidden = false;
  }
}

customElements.define("mnemo-export", Export);
