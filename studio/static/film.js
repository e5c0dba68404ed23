/** The film as this page shows it: the cut, where the playhead stands, what is chosen. */

import { indexAt, nameOf } from "./model.js";
import { saveView } from "./view.js";

const FOCUS_MS = 120;

/**
 * What every component reads. Topics (`document`, `playhead`, `selection`...) are its events.
 * `playhead` comes with every frame; `focus`, a moment later, where it has come to another shot:
 * panels about a shot need not follow a hand that drags over a hundred of them.
 */
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

  #following = 0;
  #focused = null;
  /** Jobs that make a take, by shot; null where jobs changed since. */
  #making = null;

  emit(topic, detail) {
    this.#making = null;
    // Panels come up to date with these by themselves.
    if (topic === "document" || topic === "selection") this.#focused = this.focus?.shot_id ?? null;
    this.dispatchEvent(new CustomEvent(topic, { detail }));
  }

  get shots() {
    return this.document?.shots ?? [];
  }

  /** Markers of the cut, in order. */
  get markers() {
    return this.document?.markers ?? [];
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
    return this.#takesOf(shotId)?.making ?? null;
  }

  /** The job that failed to make a take of a shot, or null. */
  failureOf(shotId) {
    return this.#takesOf(shotId)?.failed ?? null;
  }

  /** Asked for every shot in view at every frame: a queue of 500 is not searched each time. */
  #takesOf(shotId) {
    if (!this.#making) {
      this.#making = new Map();
      for (const job of this.jobs.values()) {
        if (job.kind !== "generate") continue;
        const known = this.#making.get(job.shot_id) ?? {};
        known[job.state === "failed" ? "failed" : "making"] ??= job;
        this.#making.set(job.shot_id, known);
      }
    }
    return this.#making.get(shotId);
  }

  /** Move the playhead to a whole frame of the cut. */
  seek(frame) {
    const wanted = Math.max(0, Math.min(this.total - 1, Math.round(frame)));
    if (wanted === this.playhead) return;
    this.playhead = wanted;
    this.emit("playhead");
    this.#following ||= setTimeout(() => this.#follow(), FOCUS_MS);
    saveView(this);
  }

  #follow() {
    this.#following = 0;
    const id = this.focus?.shot_id ?? null;
    if (id === this.#focused) return;
    this.#focused = id;
    this.emit("focus");
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
