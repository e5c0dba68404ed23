/** The header: where the editor is, undo and redo, the verbs on the whole film, the engine's state. */

import * as api from "./api.js";
import { run } from "./commands.js";
import { button, fill, h, icon, setText, StudioElement } from "./dom.js";
import { withKey } from "./keymap.js";
import { libraryNotice } from "./library.js";
import { queue } from "./queue_state.js";
import { go } from "./route.js";
import { store } from "./store.js";
import { chooseFootage } from "./footage.js";
import { openStoryboard } from "./storyboard.js";
import { sheet } from "./style.js";

const UNDO = "M6 4 2.5 7.5 6 11M3 7.5h6.5a3.5 3.5 0 0 1 0 7H7";
const REDO = "M10 4l3.5 3.5L10 11M13 7.5H6.5a3.5 3.5 0 0 0 0 7H9";
const TOAST_MS = 6000;

const styles = sheet(`
:host { height: 100%; }
.root { display: flex; align-items: center; gap: 6px; padding: 0 12px; background: var(--mn-panel); border-bottom: 1px solid var(--mn-line); }
.brand { font-weight: 650; letter-spacing: -.01em; padding: 0 8px; }
.brand i { color: var(--mn-accent); font-style: normal; }
.name { font-weight: 500; width: 150px; max-width: 220px; field-sizing: content; background: none; border-color: transparent; text-overflow: ellipsis; }
@supports (field-sizing: content) { .name { width: auto; min-width: 40px; } }
.line { width: 1px; height: 20px; background: var(--mn-line); margin: 0 6px; flex: none; }
.state { display: inline-flex; align-items: center; gap: 7px; padding: 0 8px; color: var(--mn-dim); font-size: 12px; max-width: 190px; min-width: 0; }
.dot { width: 8px; height: 8px; border-radius: 50%; background: var(--mn-good); flex: none; }
.dot.off { background: none; border: 2px solid var(--mn-bad); }
.generate { min-width: 152px; }
.toasts { position: fixed; left: 50%; bottom: 290px; transform: translateX(-50%); display: grid; gap: 8px; z-index: 50; pointer-events: none; justify-items: center; }
.toasts.low { bottom: 32px; }
.toast { background: var(--mn-float); border: 1px solid var(--mn-line-strong); color: var(--mn-text); border-radius: 6px; padding: 8px 14px; box-shadow: 0 8px 24px var(--mn-shadow); max-width: 560px; }
.toast.bad { border-color: var(--mn-bad); }
.banner { position: fixed; left: 0; right: 0; top: 48px; padding: 8px 20px; background: var(--mn-alert); color: var(--mn-on-alert); z-index: 5; display: flex; gap: 12px; align-items: center; }
@media (max-height: 760px) { .banner { top: 44px; } }
@media (max-width: 1160px) { .wide { display: none; } .root { gap: 3px; padding: 0 6px; } .name { max-width: 120px; } .line { margin: 0 2px; } }
`);

class Bar extends StudioElement {
  static topics = ["document", "engine", "connection", "jobs", "project"];
  static styles = [styles];

  build() {
    const brand = [h("span", {}, "Mnemo"), h("i", {}, "reel")];
    this.brand = h("button", {
      class: "plain brand", type: "button", title: "All films", "aria-label": "Mnemoreel: all films", on: { click: () => go("") },
    }, h("span", {}, ...brand));
    this.name = h("input", {
      class: "name", "aria-label": "Name of the film", title: "Name of the film: click to change it", maxlength: 200, spellcheck: "false",
      on: { change: () => this.rename(), keydown: (event) => this.leaveName(event) },
    });
    this.undo = this.tool("undo", UNDO, "Undo");
    this.redo = this.tool("redo", REDO, "Redo");
    this.storyboard = button("Storyboard…", () => openStoryboard(), { class: "plain" });
    this.footage = button("Import video…", () => chooseFootage(), { class: "plain" });
    this.generate = button("Generate all", () => run(this.verb), { class: "primary generate" });
    this.export = button("Export", () => run("export"));
    this.desk = [
      h("span", { class: "line" }), this.name, h("span", { class: "line" }), this.undo, this.redo,
      h("span", { class: "line" }), this.storyboard, this.footage,
    ];
    this.engine = h("span", { class: "state", role: "status" });
    this.connection = h("span", { class: "state" });
    this.help = button("?", () => run("help"), {
      class: "plain icon", "aria-label": "Keys", title: "Keys (?)",
    });
    this.paused = button("Queue paused", () => queue.pause(false), { class: "warn", hidden: true, title: "Waiting jobs are left waiting. Click to go on" });
    queue.addEventListener("change", () => {
      this.paused.hidden = !queue.now.paused;
    });
    this.menu = document.createElement("mnemo-menu");
    this.banner = h("div", { class: "banner", role: "alert", hidden: true });
    this.library = libraryNotice("banner");
    this.toasts = h("div", { class: "toasts" });
    this.polite = h("div", { class: "hidden-text", "aria-live": "polite" });
    fill(this.root, this.brand, this.desk, h("span", { class: "grow" }), this.connection,
      this.engine, this.paused, this.generate, this.export, this.help, this.menu, this.banner, this.library, this.toasts, this.polite);
    store.addEventListener("announce", (event) => this.announce(event.detail));
  }

  tool(command, path, label) {
    return h("button", {
      class: "plain icon", type: "button", "aria-label": label,
      on: { click: () => run(command) },
    }, icon(path));
  }

  refresh() {
    const { document } = store;
    const isDesk = Boolean(store.projectId);
    // On the desk, notes stand over the picture: never over the shots that they are about.
    this.toasts.classList.toggle("low", !isDesk);
    for (const part of [...this.desk, this.generate, this.export, this.connection]) {
      part.style.display = isDesk ? "" : "none";
    }
    if (this.shadowRoot.activeElement !== this.name) this.name.value = document?.project.name ?? "";
    this.undo.disabled = !document?.can_undo;
    this.redo.disabled = !document?.can_redo;
    this.undo.title = withKey(`Undo ${document?.can_undo ? document.label : ""}`, "undo");
    this.redo.title = withKey("Redo", "redo");
    this.showGenerate();
    this.showConnection();
    this.showEngine();
  }

  async rename() {
    const name = this.name.value.trim();
    if (name && name !== store.document?.project.name) await store.ask(() => api.patch(store.base, { name }));
    await store.load();
  }

  /** Enter keeps the name, Esc leaves it as it was. */
  leaveName(event) {
    if (event.key === "Escape") this.name.value = store.document?.project.name ?? "";
    if (event.key === "Enter" || event.key === "Escape") this.name.blur();
  }

  showGenerate() {
    const { document } = store;
    const open = store.shots.filter((shot) => !(shot.take || shot.locked || shot.muted) && shot.prompt.trim());
    const waiting = open.filter((shot) => !store.jobOf(shot.shot_id));
    const running = [...store.jobs.values()].filter((job) => job.kind === "generate" && job.state !== "failed");
    const stale = running.length ? [] : document?.update?.shots ?? [];
    this.verb = waiting.length || !stale.length ? "generateAll" : "updateStale";
    this.generate.disabled = !(waiting.length || stale.length) || store.engine.state === "failed";
    this.generate.title = this.verb === "updateStale"
      ? "Make new takes, in order and with the same seeds, of the shots that are stale above the threshold" : "";
    const count = (words, shots) => (shots.length ? `${words} (${shots.length})` : words);
    if (this.verb === "updateStale") setText(this.generate, count("Update what changed", stale));
    else if (waiting.length || !running.length) setText(this.generate, count("Generate all", waiting));
    else setText(this.generate, count("Generating", running));
    this.export.disabled = !store.shots.some((shot) => shot.take);
  }

  showConnection() {
    const text = store.online ? "" : "Reconnecting…";
    fill(this.connection, h("i", { class: store.online ? "dot" : "dot off" }),
      text ? h("span", {}, text) : h("span", { class: "hidden-text" }, "Connected"));
    this.connection.title = store.online ? "Connected to the studio" : "The studio does not answer";
  }

  showEngine() {
    const { state, message, info } = store.engine;
    const isFailed = state === "failed";
    this.banner.hidden = !isFailed;
    if (isFailed) {
      fill(this.banner, h("b", {}, "The model could not be loaded."), h("span", { class: "grow" }, message),
        button("Choose a model…", () => document.querySelector("mnemo-welcome").open(1)));
    }
    const text = { starting: "Loading the model…", failed: "Model failed", resting: "Memory freed" }[state];
    const ready = info ? `${info.model} · ${info.device}` : "Model ready";
    fill(this.engine, state === "starting" ? h("i", { class: "spin" }) : null,
      h("span", { class: `clip ${state === "ready" ? "wide" : ""} ${isFailed ? "bad" : ""}` }, text ?? ready));
    this.engine.title = message || ready;
  }

  announce({ text, tone }) {
    setText(this.polite, text);
    const toast = h("div", { class: `toast ${tone}` }, text);
    // One line at a time for what went well; what was refused stays until it has been read.
    for (const other of this.toasts.children) if (!other.classList.contains("bad")) other.remove();
    this.toasts.append(toast);
    setTimeout(() => toast.remove(), tone === "bad" ? TOAST_MS * 2 : TOAST_MS / 2);
  }
}

customElements.define("mnemo-bar", Bar);
