/** The film as this page shows it: the cut, where the playhead stands, what is chosen. */

import { indexAt, nameOf } from "./model.js";
import { saveView } from "./view.js";

/** What every component reads. Topics (`document`, `playhead`, `selection`...) are its events. */
export class Film extends EventTarget {
  document = null;
  starts = [0];
  playhead = 0;
  selection = new Set();
  anchor = null;
  jobs = new Map();
  range = { in: null, out: null };
  loop = false;
  snapping = true;
  /** What was refused last, for a place that covers the page's own notes. */
  lastRefusal = "";

  emit(topic, detail) {
    this.dispatchEvent(new CustomEvent(topic, { detail }));
  }

  get shots() {
    return this.document?.shots ?? [];
  }

  get rate() {
    return this.document?.project.rate ?? [24, 1];
  }

  /** Frames of the cut. */
  get total() {
    return this.starts.at(-1);
  }

  /** Index of a shot in the cut, -1 where it is not there. */
  indexOf(shotId) {
    return this.shots.findIndex((shot) => shot.shot_id === shotId);
  }

  /** The shot under the playhead, with its index and the frame inside of it; null in an empty cut. */
  get current() {
    return this.at(this.playhead);
  }

  at(frame) {
    if (!this.shots.length) return null;
    const index = indexAt(this.starts, frame);
    const shot = this.shots[index];
    return { index, shot, offset: Math.max(0, frame - this.starts[index]) };
  }

  /** The shot that panels are about: the one chosen last, else the one under the playhead. */
  get focus() {
    const chosen = this.shots[this.indexOf(this.anchor)];
    if (chosen && this.selection.has(this.anchor)) return chosen;
    const id = [...this.selection].at(-1);
    return this.shots[this.indexOf(id)] ?? this.current?.shot ?? null;
  }

  /** Shots whose take read something else than they would read now, and that may change. */
  get stale() {
    return this.shots.filter((shot) => shot.stale && !shot.locked && !shot.muted);
  }

  /** Name of a shot, as labels write it. */
  nameOf(shotId) {
    const index = this.indexOf(shotId);
    return index < 0 ? "a removed shot" : nameOf(this.shots[index], index);
  }

  /** The job that is making a new take of a shot, or null. */
  jobOf(shotId) {
    for (const job of this.jobs.values()) {
      const isMaking = job.kind === "generate" && job.state !== "failed";
      if (isMaking && job.shot_id === shotId) return job;
    }
    return null;
  }

  /** Move the playhead to a whole frame of the cut. */
  seek(frame) {
    const wanted = Math.max(0, Math.min(this.total - 1, Math.round(frame)));
    if (wanted === this.playhead) return;
    this.playhead = wanted;
    this.emit("playhead");
    saveView(this);
  }

  /** Choose shots; `anchor` is the one that panels show and ranges start from. */
  select(ids, anchor = ids.at(-1) ?? null) {
    this.selection = new Set(ids);
    this.anchor = anchor;
    this.emit("selection");
    saveView(this);
  }

  /** Say something to the editor: `tone` is "" or "bad". */
  announce(text, tone = "") {
    if (tone === "bad") this.lastRefusal = text;
    if (text) this.emit("announce", { text, tone });
  }
}
