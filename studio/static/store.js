/** One store a page: the server's document, and edits ahead of it. */

import * as api from "./api.js";
import { applyEdit, stillApplies } from "./edits.js";
import { Film } from "./film.js";
import { Live } from "./live.js";
import { startsOf, withKnown } from "./model.js";
import { settings } from "./settings.js";
import { loadView } from "./view.js";

const GONE = new Set(["done", "cancelled"]);
// Times that an edit is sent while others edit the same film: each try is made on a newer cut.
const MOST_TRIES = 5;
const ASK_AGAIN_MS = 2000;
const NOTHING = { shots: [], markers: [], jobs: [], rev: 0, seq: 0, total_frames: 0 };

/** The film, kept equal to the server's, and whom every component asks to change it. */
export class Store extends Film {
  projectId = "";
  previews = new Map();
  engine = { state: "starting", message: "", info: null };
  projectMessage = "";
  online = false;
  pending = 0;

  #confirmed = NOTHING;
  #rev = 0;
  #seq = 0;
  #boot = "";
  #chain = Promise.resolve();
  #loading = null;
  #again = false;
  #live = null;
  #held = false;
  #asking = 0;
  // Jobs that a message said are over: a document that was read before knows them as running.
  #over = new Set();
  // Jobs that messages told of while a document was on its way: what they said is newer.
  #told = new Set();

  get base() {
    return `/api/projects/${encodeURIComponent(this.projectId)}`;
  }

  /** Whether edits, or loading what they led to, are still on their way. */
  get busy() {
    return this.pending > 0 || this.#loading !== null;
  }

  /** Leave the open project and open another; an empty id is the list of projects. */
  async open(projectId) {
    this.#live?.close();
    this.#live = null;
    Object.assign(this, { projectId, document: null, projectMessage: "", playhead: 0, anchor: null });
    Object.assign(this, { online: false, starts: [0], range: { in: null, out: null } });
    this.selection.clear();
    this.jobs.clear();
    this.previews.clear();
    this.#confirmed = NOTHING;
    this.emit("project");
    this.emit("document");
    if (!projectId) return;
    await this.load();
    if (this.projectId !== projectId || !this.document) return;
    loadView(this);
    this.emit("selection");
    this.emit("playhead");
    this.#connect(projectId);
  }

  #connect(projectId) {
    this.#live = new Live(projectId, {
      since: () => this.#seq,
      onMessage: (message) => this.#receive(message),
      onState: (online) => {
        this.online = online;
        this.emit("connection");
        if (online) this.readEngine();
      },
    });
  }

  /** Read what the model is doing; while it loads, again and again: a list of films has no push. */
  async readEngine() {
    clearTimeout(this.#asking);
    try {
      this.engine = await api.get("/api/engine");
      this.emit("engine");
      if (this.engine.state === "starting") this.#asking = setTimeout(() => this.readEngine(), ASK_AGAIN_MS);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
    }
  }

  /** Read the document; a call while one is read leads to one more after it. */
  load() {
    if (this.#loading) {
      this.#again = true;
      return this.#loading;
    }
    this.#loading = this.#read().finally(() => {
      this.#loading = null;
      if (this.#again) {
        this.#again = false;
        return this.load();
      }
      this.emit("settled");
      return null;
    });
    return this.#loading;
  }

  async #read() {
    const asked = this.projectId;
    if (!asked) return;
    this.#told.clear();
    const have = this.#confirmed;
    try {
      const fresh = await api.get(have.version ? `${this.base}?known=${have.version}` : this.base);
      fresh.shots = withKnown(fresh.shots, have.shots);
      // With an edit on its way the answer is already old; the edit loads again when it is done.
      if (asked !== this.projectId || this.pending || this.#held) return;
      this.#adopt(fresh);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      if (asked !== this.projectId) return;
      this.projectMessage = error.message;
      this.emit("document");
    }
  }

  #adopt(fresh) {
    this.#confirmed = fresh;
    this.#rev = fresh.rev;
    this.#seq = Math.max(this.#seq, fresh.seq);
    this.#boot = fresh.boot;
    this.projectMessage = "";
    const failed = [...this.jobs.values()].filter((job) => job.state === "failed" && this.#told.has(job.id));
    const newest = (job) => (this.#told.has(job.id) ? this.jobs.get(job.id) ?? job : job);
    const active = fresh.jobs.filter((job) => job.state === "failed" || !this.#over.has(job.id)).map(newest);
    this.jobs = new Map([...active, ...failed].map((job) => [job.id, job]));
    this.show(fresh);
    const running = new Set(active.map((job) => job.shot_id));
    for (const id of this.previews.keys()) if (!running.has(id)) this.previews.delete(id);
    this.emit("jobs");
  }

  /** Show a document, the server's or one ahead of it. */
  show(document) {
    this.document = document;
    this.starts = startsOf(document.shots);
    const ids = new Set(document.shots.map((shot) => shot.shot_id));
    for (const id of this.selection) if (!ids.has(id)) this.selection.delete(id);
    this.playhead = Math.max(0, Math.min(this.total - 1, this.playhead));
    this.emit("document");
  }

  /** Show `shots` and `markers` that the server does not have yet, while a pointer drags. */
  hold(ahead) {
    this.#held = true;
    this.show({ ...this.document, ...ahead });
  }

  /** End a drag: `op` is sent, or (null) everything goes back to what the server has. */
  release(op) {
    this.#held = false;
    if (op) return this.edit(op);
    this.show(this.#confirmed);
    return this.load();
  }

  /** Change the cut: shown at once, sent in order, taken back where the server refuses. */
  edit(op) {
    const ahead = applyEdit(this.document, op, this.engine.info);
    if (ahead) this.show({ ...this.document, ...ahead });
    this.pending += 1;
    this.#chain = this.#chain.then(() => this.#send(op)).then(() => {
      this.pending -= 1;
      return this.pending ? null : this.load();
    });
    return this.#chain;
  }

  /** Wait until every edit has been answered. */
  async idle() {
    await this.#chain;
    await this.#loading;
  }

  async #send(op, tries = MOST_TRIES) {
    try {
      const reply = await api.post(`${this.base}/edits`, { op, base_rev: this.#rev });
      this.#rev = reply.rev;
      this.announce(reply.label);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      const fresh = error.body.document;
      if (fresh) {
        const applies = stillApplies(op, this.#confirmed, fresh);
        this.#confirmed = fresh;
        this.#rev = fresh.rev;
        if (applies && tries > 1) return this.#send(op, tries - 1);
      }
      this.announce(`Not changed: ${error.message}`, "bad");
      if (this.#confirmed !== NOTHING) this.show(this.#confirmed);
    }
    return null;
  }

  /** Ask for `undo`, `redo`, `rewind` or `storyboard`: verbs that answer with the new revision. */
  step(verb, body = {}) {
    return this.#after(async () => {
      const reply = await api.post(`${this.base}/${verb}`, body);
      this.#rev = reply.rev;
      this.announce(reply.label);
      return reply;
    });
  }

  /** Apply a storyboard at the newest revision this page knows. */
  storyboard(text, mode) {
    const send = async (tries) => {
      try {
        const body = { text, mode, base_rev: this.#rev };
        return await api.post(`${this.base}/storyboard`, body);
      } catch (error) {
        // Shots at the end mean the same after any edit; replacing the cut does not.
        if (mode !== "append" || tries <= 1 || !error.body?.document) throw error;
        this.#rev = error.body.document.rev;
        return send(tries - 1);
      }
    };
    return this.#after(async () => {
      const reply = await send(MOST_TRIES);
      this.announce(reply.label);
      return reply;
    });
  }

  async #after(action) {
    this.pending += 1;
    await this.#chain;
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      this.announce(error.message, "bad");
      return null;
    } finally {
      this.pending -= 1;
      await this.load();
    }
  }

  /** Do something with the API; a refusal is announced and gives null. */
  async ask(action) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      this.announce(error.message, "bad");
      return null;
    }
  }

  /** Queue jobs for shots (null = every unlocked shot without a take). */
  async generate(shotIds, newSeed = false) {
    // What was typed last is part of what is made.
    await this.#chain;
    const body = { shot_ids: shotIds, new_seed: newSeed };
    const reply = await this.ask(() => api.post(`${this.base}/generate`, body));
    if (reply && !reply.jobs.length) this.announce("Nothing to generate: every shot has a take.");
    if (reply) await this.load();
    return reply;
  }

  #receive(message) {
    if (message.seq !== undefined) this.#seq = Math.max(this.#seq, message.seq);
    const known = this[`_${message.kind}`];
    if (known) known.call(this, message);
  }

  _hello(message) {
    // Between the document and this connection a job may have ended that moved no head.
    const isNews = message.rev !== this.#rev || message.seq !== this.#confirmed.seq;
    if (message.boot !== this.#boot || isNews) this.load();
  }

  _op(message) {
    if (message.rev > this.#rev) this.load();
  }

  _engine(message) {
    this.engine = { ...this.engine, state: message.state, message: message.message };
    this.emit("engine");
    this.readEngine();
  }

  _library(message) {
    this.emit("library", message);
  }

  _preview(message) {
    this.previews.set(message.shot_id, { jpeg: message.jpeg, step: message.step });
    this.emit("preview", message.shot_id);
  }

  _progress(message) {
    for (const job of message.jobs) {
      const isGone = GONE.has(job.state);
      this.#told.add(job.id);
      if (isGone || job.state === "failed") this.#over.add(job.id);
      else this.#over.delete(job.id);
      // Measurements run beside the work: who asked for one hears of it by the event.
      if (isGone || job.kind === "measure") this.jobs.delete(job.id);
      else this.jobs.set(job.id, { ...this.jobs.get(job.id), ...job });
      if (job.state === "cancelled") this.previews.delete(job.shot_id);
      if (job.state === "failed" && job.kind !== "measure") this.announce(job.message || "A job failed.", "bad");
    }
    // A measurement on its way is shown nowhere, and in a long film there is always one.
    const isNews = ({ kind, state }) => kind !== "measure" || state !== "running";
    if (message.jobs.some(isNews)) this.emit("jobs", message.jobs);
  }

  _history(message) {
    this.emit("history", message);
  }

  _notes(message) {
    this.emit("measured", message);
  }

  _queue(message) {
    this.emit("queue", message);
  }

  _settings(message) {
    settings.show(message.settings);
  }

  _event(message) {
    if (message.label) this.announce(message.label);
    this.emit("history", message);
  }

  _takes(message) {
    this.emit("takes", message);
  }

  _presets(message) {
    this.emit("presets", message.presets);
  }

}

export const store = new Store();
