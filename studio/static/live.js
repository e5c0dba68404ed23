/** What the server pushes: one WebSocket that comes back by itself after sleep or a restart. */

const SILENCE_MS = 25_000;
const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 5_000;

/** A connection to one project's messages, from `since` on. */
export class Live {
  #socket = null;
  #closed = false;
  #retry = FIRST_RETRY_MS;
  #silence = 0;
  #again = 0;

  /** `since` returns the last event seen; `onMessage` and `onState` are told what happens. */
  constructor(projectId, { since, onMessage, onState }) {
    this.projectId = projectId;
    this.since = since;
    this.onMessage = onMessage;
    this.onState = onState;
    this.#connect();
  }

  /** End the connection for good. */
  close() {
    this.#closed = true;
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.#socket?.close();
  }

  #connect() {
    const path = `/api/projects/${encodeURIComponent(this.projectId)}/live?since=${this.since()}`;
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + path);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retry = FIRST_RETRY_MS;
      this.#listen();
      this.onState(true);
    };
    socket.onmessage = (event) => {
      this.#listen();
      const message = JSON.parse(event.data);
      if (message.kind !== "ping") this.onMessage(message);
    };
    socket.onclose = () => this.#lost();
  }

  /** The server pings each 10 s: 25 s of silence is a dead line that TCP has not noticed. */
  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket?.close(), SILENCE_MS);
  }

  #lost() {
    clearTimeout(this.#silence);
    if (this.#closed) return;
    this.onState(false);
    this.#again = setTimeout(() => this.#connect(), this.#retry);
    this.#retry = Math.min(LAST_RETRY_MS, this.#retry * 1.7);
  }
}
