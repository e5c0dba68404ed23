/** The queue: what runs, waits, failed and is done; its order, its pause, and when it will end. */

import * as api from "./api.js";
import { showPanel } from "./commands.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { QUIET } from "./endings.js";
import { uploads } from "./footage.js";
import { cancel, dismiss, duplicate, KINDS, move, pause, resume, retry } from "./jobs.js";
import { bell } from "./notify.js";
import { Row } from "./queue_rows.js";
import { queue } from "./queue_state.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { duration } from "./timecode.js";

const ORDER = ["running", "cancelling", "paused", "queued", "failed"];

const styles = sheet(`
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 6px; }
li { background: var(--mn-raised); border: 1px solid transparent; border-radius: 5px; display: grid; grid-template-columns: 64px minmax(0, 1fr); overflow: hidden; }
li:focus-visible { outline: 2px solid var(--mn-focus); outline-offset: 1px; }
li.waiting { cursor: grab; }
li.dragged { opacity: .45; }
li.before { border-top-color: var(--mn-accent); }
li.after { border-bottom-color: var(--mn-accent); }
.tile { margin: 10px 0 0 10px; aspect-ratio: var(--aspect, 1); border-radius: 3px; background: var(--mn-well) 0 0 / auto 100% no-repeat; align-self: start; }
.body { padding: 8px 10px; display: grid; grid-template-columns: minmax(0, 1fr); gap: 5px; }
.body b { flex: none; max-width: 60%; }
.time { flex: 1; min-width: 0; text-align: right; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.message { font-size: 12px; overflow-wrap: anywhere; }
.actions { gap: 4px; flex-wrap: wrap; margin-left: -4px; }
.actions:empty { display: none; }
li button { min-height: 24px; padding: 1px 7px; font-size: 12px; }
li button.icon { width: 24px; padding: 0; }
.head { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.head .note { flex: 1 0 100%; }
.head .note:empty { display: none; }
.paused { border-left: 3px solid var(--mn-warn); background: var(--mn-well); padding: 7px 10px; border-radius: 4px; font-size: 12.5px; }
.done li { grid-template-columns: minmax(0, 1fr) auto auto; gap: 10px; padding: 5px 10px; font-size: 12px; }
summary { cursor: pointer; color: var(--mn-dim); font-size: 12px; }
details .row { margin: 6px 0; justify-content: flex-end; }
@media (max-width: 1160px) {
  .body > .row:first-child { display: grid; gap: 0; }
  .body b { max-width: none; }
  .time { text-align: left; }
  li .actions button { padding: 1px 5px; }
}
`);

class Queue extends StudioElement {
  static topics = ["document", "jobs", "project", "engine"];
  static styles = [panel, styles];

  build() {
    this.rows = new Map();
    this.note = h("span", { class: "dim small note", role: "status" });
    this.pause = button("Pause", () => queue.pause(!queue.now.paused));
    this.again = button("Retry failed", () => this.retryFailed(), { class: "plain" });
    this.stopAll = button("Cancel all", () => this.cancelAll(), { class: "plain danger" });
    this.tell = button("", () => bell.toggle(), { class: "plain" });
    this.head = h("div", { class: "head" }, this.note, this.pause, this.again, this.stopAll, this.tell);
    this.paused = h("div", { class: "paused", hidden: true },
      "The queue is paused. What runs is finished; what waits stays, also over a restart.");
    this.list = h("ul", { "aria-label": "Jobs" });
    this.empty = h("div", { class: "empty" }, h("b", {}, "Nothing is running"),
      h("span", {}, "Jobs keep running when you close this page. What runs, waits or failed stands here, with the time it will take."));
    this.doneSummary = h("summary", {});
    this.doneList = h("ul", { class: "done", "aria-label": "Done" });
    this.done = h("details", { hidden: true }, this.doneSummary,
      h("div", { class: "row" }, button("Clear this list", () => this.clearDone(), { class: "plain" })), this.doneList);
    this.root.append(this.head, this.paused, this.list, this.empty, this.done);
    queue.addEventListener("change", () => this.schedule());
    bell.addEventListener("change", () => this.schedule());
    this.acceptDrops();
  }

  /** Jobs in the order of the queue; a push is newer than what was read, uploads come first. */
  jobs() {
    const sending = [...uploads].map(([name, share]) => ({
      id: `upload ${name}`, kind: "upload", state: "running", done: share, name,
    }));
    const read = new Map(queue.now.jobs.map((job) => [job.id, job]));
    const others = queue.now.jobs.filter((job) => job.project_id !== store.projectId);
    const own = [...store.jobs.values()].filter((job) => !QUIET.has(job.kind) || job.state === "failed")
      .map((job) => ({ project_id: store.projectId, ...read.get(job.id), ...job, is_kept: read.get(job.id)?.is_kept ?? false }));
    const places = new Map(queue.now.jobs.map((job, at) => [job.id, at]));
    const place = (job) => ORDER.indexOf(job.state) * 1e6 + (places.get(job.id) ?? 1e5);
    return [...sending, ...[...others, ...own].sort((a, b) => place(a) - place(b))];
  }

  refresh() {
    const jobs = this.jobs();
    this.shown = jobs;
    const project = store.document?.project;
    if (project) this.style.setProperty("--aspect", project.width / project.height);
    const isActive = (job) => job.state !== "failed" && job.kind !== "upload";
    this.empty.hidden = jobs.length > 0;
    this.showHead(jobs, jobs.filter(isActive));
    const ids = new Set(jobs.map((job) => job.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    jobs.forEach((job, index) => {
      const row = this.rows.get(job.id) ?? this.make(job.id);
      if (this.list.children[index] !== row.element) this.put(row.element, index);
      row.update(job);
    });
    this.showDone();
  }

  /** Moving an element takes the focus from it: a row that is moved by keys keeps it. */
  put(element, index) {
    const isFocused = this.shadowRoot.activeElement === element;
    this.list.insertBefore(element, this.list.children[index] ?? null);
    if (isFocused) element.focus();
  }

  showHead(jobs, active) {
    const { paused, eta_seconds: left } = queue.now;
    const failed = jobs.filter((job) => job.state === "failed" && job.project_id === store.projectId);
    const count = active.length === 1 ? "1 job" : `${active.length} jobs`;
    setText(this.note, active.length ? (left && !paused ? `${count}, about ${duration(left)}` : count) : "");
    setText(this.pause, paused ? "Resume" : "Pause");
    this.pause.setAttribute("aria-pressed", paused);
    this.pause.title = paused ? "Let waiting jobs run" : "Finish what runs and leave the rest waiting";
    this.paused.hidden = !paused;
    this.again.hidden = failed.length < 2;
    this.stopAll.hidden = active.length < 2;
    setText(this.tell, bell.isOn ? "Notifies you" : "Notify me");
    this.tell.setAttribute("aria-pressed", bell.isOn);
    this.tell.title = bell.note;
  }

  showDone() {
    const { done } = queue.now;
    this.done.hidden = !done.length;
    const all = done.reduce((sum, job) => sum + (job.seconds ?? 0), 0);
    setText(this.doneSummary, `Done in the last day (${done.length}), ${duration(all)} of work`);
    const key = done.map((job) => job.id).join();
    if (this.doneKey === key) return;
    this.doneKey = key;
    fill(this.doneList, done.map((job) => h("li", { "data-done": job.id },
      h("span", { class: "clip" }, `${KINDS[job.kind] ?? job.kind}${job.shot_id ? ` · ${store.nameOf(job.shot_id)}` : ""}`),
      h("span", { class: "dim" }, job.seconds === null ? "" : duration(job.seconds)),
      h("time", { class: "dim", datetime: job.finished_at }, new Date(job.finished_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })))));
  }

  make(id) {
    const row = new Row(id, {
      cancel: (job) => cancel(job.id), keep: (job) => cancel(job.id, true), retry: (job) => retry(job.id),
      pause: (job) => pause(job.id), resume: (job) => resume(job.id),
      dismiss: (job) => dismiss(job.id), duplicate: (job) => duplicate(job.id),
      edit: (job) => this.edit(job), move: (job, by) => this.moveBy(job, by),
    });
    row.element.addEventListener("dragstart", (event) => {
      this.dragged = id;
      event.dataTransfer.setData("text/plain", "");
      row.element.classList.add("dragged");
    });
    row.element.addEventListener("dragend", () => this.endDrag());
    this.rows.set(id, row);
    return row;
  }

  edit(job) {
    store.select([job.shot_id]);
    showPanel("Shot", "mnemo-shot", "editPrompt");
  }

  /** The waiting jobs that a job can change places with. */
  peers(job) {
    return this.shown.filter((other) => other.state === "queued" && (other.priority ?? 0) === (job.priority ?? 0));
  }

  moveBy(job, by) {
    const peers = this.peers(job);
    const at = peers.findIndex((other) => other.id === job.id) + by;
    if (at < 0 || at >= peers.length) return null;
    return move(job.id, at);
  }

  acceptDrops() {
    const over = (event) => event.target.closest?.("li.waiting");
    this.list.addEventListener("dragover", (event) => {
      const target = over(event);
      if (!this.dragged || !target) return;
      event.preventDefault();
      const box = target.getBoundingClientRect();
      this.isAfter = event.clientY > box.top + box.height / 2;
      for (const row of this.rows.values()) row.element.classList.remove("before", "after");
      target.classList.add(this.isAfter ? "after" : "before");
    });
    this.list.addEventListener("drop", (event) => {
      const target = over(event);
      const id = this.dragged;
      if (!id || !target || target.dataset.job === id) return;
      event.preventDefault();
      const job = this.rows.get(id)?.job;
      const rest = job ? this.peers(job).filter((other) => other.id !== id) : [];
      const at = rest.findIndex((other) => other.id === target.dataset.job);
      if (at >= 0) move(id, at + (this.isAfter ? 1 : 0));
    });
  }

  endDrag() {
    this.dragged = null;
    for (const row of this.rows.values()) row.element.classList.remove("before", "after", "dragged");
  }

  retryFailed() {
    return store.ask(() => api.post(`${store.base}/queue/retry-failed`));
  }

  clearDone() {
    return store.ask(() => api.post(`${store.base}/queue/clear-done`));
  }

  async cancelAll() {
    for (const job of [...store.jobs.values()].reverse()) {
      if (["queued", "running"].includes(job.state)) await cancel(job.id);
    }
  }
}

customElements.define("mnemo-queue", Queue);
