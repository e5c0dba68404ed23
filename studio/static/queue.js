/** The queue: what is running, waiting or failed, with progress, cancel and retry. */

import { button, fill, h, setText, StudioElement } from "./dom.js";
import { uploads } from "./footage.js";
import { cancel, dismiss, KINDS, retry } from "./jobs.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { jobText } from "./timeline_shots.js";

const ORDER = ["running", "cancelling", "queued", "failed", "quarantined"];

const styles = sheet(`
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
li { background: var(--mn-raised); border-radius: 5px; padding: 10px 12px; display: grid; gap: 7px; }
li .message { font-size: 12px; overflow-wrap: anywhere; }
li button { min-height: 24px; padding: 1px 8px; font-size: 12px; }
`);

class Queue extends StudioElement {
  static topics = ["document", "jobs", "project", "engine"];
  static styles = [panel, styles];

  build() {
    this.rows = new Map();
    this.note = h("span", { class: "dim small grow" });
    this.stopAll = button("Cancel all", () => this.cancelAll(), { class: "plain danger" });
    this.head = h("div", { class: "row" }, this.note, this.stopAll);
    this.list = h("ul", { "aria-label": "Jobs" });
    this.empty = h("div", { class: "empty" }, h("b", {}, "Nothing is running"),
      h("span", {}, "Jobs keep running when you close this page. What is running, waiting or failed stands here."));
    this.root.append(this.head, this.list, this.empty);
  }

  jobs() {
    const sending = [...uploads].map(([name, share]) => ({
      id: `upload ${name}`, kind: "upload", state: "running", done: share, name,
    }));
    const rank = (job) => ORDER.indexOf(job.state);
    return [...sending, ...[...store.jobs.values()].sort((a, b) => rank(a) - rank(b))];
  }

  refresh() {
    const jobs = this.jobs();
    this.empty.hidden = jobs.length > 0;
    this.head.hidden = jobs.length < 2;
    const waiting = jobs.filter((job) => job.state === "queued").length;
    setText(this.note, waiting ? `${jobs.length - waiting} running or failed, ${waiting} waiting` : "");
    this.stopAll.hidden = !jobs.some((job) => ["running", "queued"].includes(job.state) && job.kind !== "upload");
    const ids = new Set(jobs.map((job) => job.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    jobs.forEach((job, index) => {
      const row = this.rows.get(job.id) ?? this.make(job);
      if (this.list.children[index] !== row.element) this.list.insertBefore(row.element, this.list.children[index] ?? null);
      this.update(row, job);
    });
  }

  make(job) {
    const row = {
      name: h("b", { class: "grow clip" }), state: h("span", { class: "dim small" }), bar: h("i", {}),
      message: h("div", { class: "message bad" }), actions: h("div", { class: "row" }), shown: "",
    };
    row.track = h("div", { class: "bar" }, row.bar);
    row.element = h("li", { "data-job": job.id }, h("div", { class: "row" }, row.name, row.state, row.actions),
      row.track, row.message);
    this.rows.set(job.id, row);
    return row;
  }

  update(row, job) {
    const isFailed = job.state === "failed" || job.state === "quarantined";
    const about = job.shot_id ? ` · ${store.nameOf(job.shot_id)}` : job.name ? ` · ${job.name}` : "";
    setText(row.name, `${job.kind === "upload" ? "Upload" : KINDS[job.kind] ?? job.kind}${about}`);
    setText(row.state, isFailed ? "failed" : job.kind === "upload" ? `${Math.round(100 * job.done)} %` : jobText(job));
    row.track.hidden = isFailed || job.state === "queued";
    row.bar.style.transform = `scaleX(${job.done ?? 0})`;
    row.message.hidden = !isFailed;
    setText(row.message, job.message ?? "");
    if (row.shown === job.state) return;
    row.shown = job.state;
    if (job.kind === "upload") fill(row.actions);
    else if (isFailed) fill(row.actions, button("Retry", () => retry(job.id)), button("Dismiss", () => dismiss(job.id), { class: "plain" }));
    else fill(row.actions, button("Cancel", () => cancel(job.id), { class: "plain danger", disabled: job.state === "cancelling" }));
  }

  async cancelAll() {
    for (const job of [...store.jobs.values()].reverse()) {
      if (["queued", "running"].includes(job.state)) await cancel(job.id);
    }
  }
}

customElements.define("mnemo-queue", Queue);
