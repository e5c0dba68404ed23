/** Waiting for the answer of one job, and the words for what a job is. */

import * as api from "./api.js";
import { store } from "./store.js";

const OVER = new Set(["done", "failed", "cancelled", "quarantined"]);
// The WebSocket says when a job is over; this only covers a message lost with the connection.
const LOOK_AGAIN_MS = 2000;

/** What kinds of jobs are called on the page. */
export const KINDS = {
  generate: "Generate", encode: "Encode footage", recall: "Recall", ingest: "Read footage", export: "Export",
};

const path = (id) => `/api/jobs/${encodeURIComponent(id)}`;

/** Read a job, its result included. */
export function read(id) {
  return api.get(path(id));
}

/** Stop a job, or (for one that waits) take it out of the queue. */
export function cancel(id) {
  return store.ask(() => api.post(`${path(id)}/cancel`));
}

/** Put a failed job back into the queue. */
export function retry(id) {
  return store.ask(() => api.post(`${path(id)}/retry`));
}

/** Forget a failed job on this page. */
export function dismiss(id) {
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
