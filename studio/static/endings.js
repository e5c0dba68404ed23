/** Which ends of jobs are worth a note, and the title of the page while they run. Pure. */

/** Work that ran at least this long is told of when it ends. */
export const LONG_MS = 20_000;
/** Kinds of jobs that come by themselves, or are the answer to a look: nobody waits for their end. */
export const QUIET = new Set(["recall", "lint", "measure"]);

/** Jobs that an editor waits for. */
export function awaited(jobs) {
  return [...jobs].filter((job) => job.state !== "failed" && !QUIET.has(job.kind));
}

/** Watches jobs begin and end, and says which ends are news. */
export class Endings {
  #begun = new Map();
  #busySince = null;

  /** Jobs as they are pushed: returns those that ended after a long run. */
  hear(jobs, now) {
    const ended = [];
    for (const job of jobs) {
      if (QUIET.has(job.kind)) continue;
      if (job.state === "running" && !this.#begun.has(job.id)) this.#begun.set(job.id, now);
      if (!["done", "failed", "cancelled"].includes(job.state)) continue;
      const ran = now - (this.#begun.get(job.id) ?? now);
      this.#begun.delete(job.id);
      if (ran >= LONG_MS && job.state !== "cancelled") ended.push(job);
    }
    return ended;
  }

  /** Whether a long run of the whole queue has just ended; `active` are the jobs not over. */
  isQueueDone(active, now) {
    if (active.some((job) => job.state === "running" || job.state === "cancelling")) {
      this.#busySince ??= now;
      return false;
    }
    if (active.length) return false;
    const isDone = this.#busySince !== null && now - this.#busySince >= LONG_MS;
    this.#busySince = null;
    return isDone;
  }
}

/** How far the running job is, how many wait, the film. */
export function titleFor(film, active) {
  const running = active.find((job) => job.state === "running");
  const waiting = active.filter((job) => job.state === "queued").length;
  const place = film ? `${film} · Mnemoreel` : "Mnemoreel";
  if (!running) return place;
  return `${Math.round(100 * (running.done ?? 0))} %${waiting ? ` +${waiting}` : ""} · ${place}`;
}
