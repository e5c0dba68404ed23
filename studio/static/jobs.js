/** Waiting for the answer of one job, and the words for what a job is. */

import * as api from "./api.js";
import { store } from "./store.js";

const OVER = new Set(["done", "failed", "cancelled", "quarantined"]);
// The WebSocket says when a job is over; this only covers a message lost with the connection.
const LOOK_AGAIN_MS = 2000;

/** What kinds of jobs are called on the page. */
export const KINDS = {
  generate: "Generate", encode: "Encode footage", recall: "Recall", measure: "Measure memory", ingest: "Read footage", export: "Export",
};

const path = (id) => `/api/jobs/${encodeURIComponent(id)}`;

/** Read a job, its result included. */
export function read(id) {
  return api.get(path(id));
}

/** Stop a job, or (for one that waits) take it out of the queue; `keep` what there is by then. */
export function cancel(id, keep = false) {
  return store.ask(() => api.post(`${path(id)}/cancel`, { keep }));
}

/** Move a waiting job to a place among the waiting ones, 0 = next. */
export function move(id, index) {
  return store.ask(() => api.post(`${path(id)}/move`, { index }));
}

/** Queue a shot's job once more, with another seed. */
export async function duplicate(id) {
  const reply = await store.ask(() => api.post(`${path(id)}/duplicate`));
  if (reply) await store.load();
  return reply;
}

/** Stop a shot that is being generated after its step, so that it goes on from there later. */
export function pause(id) {
  return store.ask(() => api.post(`${path(id)}/pause`));
}

/** Put a paused job back into the queue. */
export function resume(id) {
  return store.ask(() => api.post(`${path(id)}/resume`));
}

/** Give the engine's memory back; the model is loaded again for the next job. */
export function freeMemory() {
  return store.ask(() => api.post("/api/engine/free"));
}

/** Put a failed job back into the queue. */
export function retry(id) {
  return store.ask(() => api.post(`${path(id)}/retry`));
}

/** Take a failed job off the list, for every page and for good. */
export async function dismiss(id) {
  const reply = await store.ask(() => api.post(`${path(id)}/dismiss`));
  if (!reply) return;
  store.jobs.delete(id);
  store.emit("jobs");
}

/** Wait until a job is over and return it. `signal` ends the waiting, not the job. */
export function finished(id, { signal } = {}) {
  return new Promise((resolve, reject) => {
    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      store.removeEventListener("jobs", onJobs);
    };
    const look = async () => {
      try {
        const job = await read(id);
        if (!OVER.has(job.state) || signal?.aborted) return;
        stop();
        resolve(job);
      } catch (error) {
        stop();
        reject(error);
      }
    };
    const onJobs = ({ detail }) => {
      if (detail?.some((job) => job.id === id && OVER.has(job.state))) look();
    };
    signal?.addEventListener("abort", stop, { once: true });
    store.addEventListener("jobs", onJobs);
    timer = setInterval(look, LOOK_AGAIN_MS);
    look();
  });
}
