/** The editor's notes on continuity: read when the cut or a measurement changes. */

import * as api from "./api.js";
import { debounce } from "./dom.js";
import { store } from "./store.js";

const READ_AFTER_MS = 250;
const NOTHING = { notes: [], checked: 0, unchecked: 0 };

/** Notes of the open film. The store's topic `notes` says that they are new. */
class Notes {
  now = NOTHING;
  #byShot = new Map();
  #seen = "";
  #soon = debounce(() => this.read(), READ_AFTER_MS);

  constructor() {
    store.addEventListener("project", () => this.#adopt(NOTHING));
    store.addEventListener("measured", () => this.#soon());
    store.addEventListener("document", () => {
      // Only the server's cut has been measured: one ahead of it keeps the notes it had.
      const key = store.document ? `${store.projectId} ${store.document.rev}` : "";
      if (!key || key === this.#seen) return;
      this.#seen = key;
      this.#soon();
    });
  }

  /** Notes of a shot, in the order of their frames. */
  of(shotId) {
    return this.#byShot.get(shotId) ?? [];
  }

  async read() {
    const asked = store.projectId;
    if (!asked) return;
    const reply = await store.ask(() => api.get(`${store.base}/notes`));
    if (reply && asked === store.projectId) this.#adopt(reply);
  }

  dismiss(id) {
    return store.ask(() => api.post(`${store.base}/notes/dismiss`, { id }));
  }

  async checkAll() {
    const reply = await store.ask(() => api.post(`${store.base}/notes/check`));
    if (reply) store.announce(reply.queued ? `${reply.queued} shots are compared when nothing else runs.` : "Every shot was compared already.");
  }

  #adopt(now) {
    this.now = now;
    this.#byShot = new Map();
    for (const note of now.notes) this.#byShot.set(note.shot_id, [...this.of(note.shot_id), note]);
    store.emit("notes");
  }
}

export const notes = new Notes();
