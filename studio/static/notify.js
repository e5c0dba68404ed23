/** Progress in the page's title, and a note of the browser when a long job ends. */

import { awaited, Endings, titleFor } from "./endings.js";
import { KINDS } from "./jobs.js";
import { store } from "./store.js";

const KEPT = "mnemoreel-tell-me";

/** Whether the editor wants notes of the browser; asked for by a click, never by itself. */
class Bell extends EventTarget {
  #isWanted = localStorage.getItem(KEPT) === "on";

  get isOn() {
    return this.#isWanted && globalThis.Notification?.permission === "granted";
  }

  get note() {
    if (!globalThis.Notification) return "This browser shows no notes of pages";
    if (Notification.permission === "denied") return "The browser was told to show no notes of this page; its settings undo that";
    return this.isOn ? "A note of the browser appears when a long job ends. Click to end that" : "Show a note of the browser when a long job ends";
  }

  async toggle() {
    if (this.isOn) this.#keep(false);
    else if (globalThis.Notification) this.#keep(await Notification.requestPermission() === "granted");
    if (globalThis.Notification?.permission === "denied") store.announce(this.note, "bad");
    this.dispatchEvent(new Event("change"));
  }

  #keep(isWanted) {
    this.#isWanted = isWanted;
    localStorage.setItem(KEPT, isWanted ? "on" : "off");
  }

  /** Show a note, unless the editor is looking at the page. */
  ring(title, body) {
    if (!this.isOn || (document.visibilityState === "visible" && document.hasFocus())) return;
    const note = new Notification(title, { body, tag: "mnemoreel" });
    note.onclick = () => {
      focus();
      note.close();
    };
  }
}

export const bell = new Bell();

const endings = new Endings();

function nameOf(job) {
  const kind = KINDS[job.kind] ?? job.kind;
  return job.shot_id ? `${kind} · ${store.nameOf(job.shot_id)}` : kind;
}

function tell(jobs) {
  const film = store.document?.project.name ?? "";
  const now = performance.now();
  for (const job of endings.hear(jobs, now)) {
    bell.ring(`${nameOf(job)}: ${job.state}`, job.state === "failed" ? job.message ?? "" : film);
  }
  if (endings.isQueueDone(awaited(store.jobs.values()), now)) bell.ring("The queue is done", film);
}

function showTitle() {
  const title = titleFor(store.document?.project.name, awaited(store.jobs.values()));
  if (document.title !== title) document.title = title;
}

/** Listen to the store, once. */
export function watchJobs() {
  store.addEventListener("jobs", ({ detail }) => {
    tell(detail ?? []);
    showTitle();
  });
  store.addEventListener("document", showTitle);
}
