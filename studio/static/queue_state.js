/** The queue as the server has it: read when something about it changes, for panel and header. */

import * as api from "./api.js";
import { debounce } from "./dom.js";
import { awaited } from "./endings.js";
import { store } from "./store.js";

const READ_AFTER_MS = 120;
const NOTHING = { paused: false, eta_seconds: null, jobs: [], done: [] };

function idsOf(jobs) {
  return awaited(jobs).map((job) => job.id).sort().join();
}

/** What was read last. Event `change` says that it is new. */
class QueueState extends EventTarget {
  now = NOTHING;
  #asked = "";
  #again = false;
  #soon = debounce(() => this.read(), READ_AFTER_MS);

  constructor() {
    super();
    for (const topic of ["queue", "connection"]) store.addEventListener(topic, () => this.#soon());
    store.addEventListener("history", ({ detail }) => {
      if (detail?.what && detail.what !== "job_progress") this.#soon();
    });
    store.addEventListener("project", () => {
      this.now = NOTHING;
      this.dispatchEvent(new Event("change"));
      this.#soon();
    });
    // A push tells how far a job is; only its beginning and its end change the list.
    store.addEventListener("jobs", ({ detail }) => {
      const told = detail ?? [...store.jobs.values()];
      // With a document comes what waiting jobs will make: an edit of their shots changes it.
      const isKnown = (job) => job.state === "running" && this.isRunning(job.id);
      if (!told.every(isKnown)) this.#soon();
    });
  }

  isRunning(id) {
    return this.now.jobs.some((job) => job.id === id && job.state === "running");
  }

  async read() {
    const asked = store.projectId;
    if (!asked) return;
    if (this.#asked === asked) {
      this.#again = true;
      return;
    }
    this.#asked = asked;
    const reply = await store.ask(() => api.get(`${store.base}/queue`));
    this.#asked = "";
    if (this.#again) this.#soon();
    this.#again = false;
    if (!reply || asked !== store.projectId) return;
    this.now = reply;
    this.dispatchEvent(new Event("change"));
    // Jobs that another tab or a script asked for, or took back, are not pushed: read the document.
    const own = reply.jobs.filter((job) => job.project_id === asked);
    if (idsOf(own) !== idsOf(store.jobs.values())) store.load();
  }

  /** Leave waiting jobs waiting, or go on. */
  async pause(paused) {
    const reply = await store.ask(() => api.post("/api/queue/pause", { paused }));
    if (!reply) return;
    this.now = { ...this.now, paused: reply.paused };
    this.dispatchEvent(new Event("change"));
    store.announce(paused ? "The queue is paused: what runs is finished, what waits stays." : "The queue goes on.");
  }
}

export const queue = new QueueState();
