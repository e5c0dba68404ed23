/** The first minute: what this machine can do, which model to use, and a film to begin with. */

import * as api from "./api.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import "./samples.js";
import { settings } from "./settings.js";
import { store } from "./store.js";
import { dialog, sheet } from "./style.js";
import { duration } from "./timecode.js";

const STEPS = ["This machine", "The model", "Your first film"];

const styles = sheet(`
dialog { width: min(820px, calc(100vw - 48px)); }
dialog[open] { display: flex; flex-direction: column; }
.steps { display: flex; gap: 6px; list-style: none; margin: 0; padding: 0; }
.steps button { border-color: transparent; background: transparent; color: var(--mn-dim); }
.steps button[aria-current] { color: var(--mn-accent); background: var(--mn-accent-soft); }
.page { padding: 20px 24px; overflow: auto; display: grid; gap: 16px; min-height: min(430px, calc(100vh - 190px)); align-content: start; }
.page h3 { font-size: 17px; color: var(--mn-text); letter-spacing: -.01em; }
.page p { color: var(--mn-dim); line-height: 1.6; max-width: 68ch; }
dl { margin: 0; display: grid; grid-template-columns: 150px minmax(0, 1fr); gap: 8px 16px; }
dt { color: var(--mn-dim); }
dd { margin: 0; overflow-wrap: anywhere; }
.choice { display: grid; grid-template-columns: 20px minmax(0, 1fr); gap: 4px 8px; align-items: baseline; padding: 12px; border: 1px solid var(--mn-line); border-radius: 6px; }
.choice:has(input:checked) { border-color: var(--mn-accent); background: var(--mn-accent-soft); }
.choice p { grid-column: 2; }
.path { display: flex; gap: 8px; grid-column: 2; }
.path input { flex: 1; }
.verdict { display: grid; gap: 6px; padding: 10px 12px; border-left: 3px solid var(--mn-good); background: var(--mn-well); border-radius: 4px; }
.verdict.refused { border-color: var(--mn-bad); }
.verdict.refused p { color: var(--mn-bad); }
.verdict:empty { display: none; }
`);

class Welcome extends StudioElement {
  static topics = ["engine", "project"];
  static styles = [dialog, styles];

  build() {
    this.step = 0;
    this.machine = null;
    this.checked = null;
    this.stepButtons = STEPS.map((name, index) => button(`${index + 1}. ${name}`, () => this.show(index)));
    this.page = h("div", { class: "page" });
    this.back = button("Back", () => this.show(this.step - 1));
    this.next = button("Next", () => this.forward(), { class: "primary", autofocus: true });
    const skip = button("Skip", () => this.dialog.close(), { class: "plain" });
    this.dialog = h("dialog", { "aria-label": "First steps" },
      h("header", {}, h("h2", {}, "Welcome to Mnemoreel"), h("ol", { class: "steps" }, ...this.stepButtons.map((one) => h("li", {}, one)))),
      this.page, h("footer", {}, skip, h("span", { class: "grow" }), this.back, this.next));
    this.dialog.addEventListener("close", () => this.closed());
    this.root.append(this.dialog);
    this.buildModel();
    // The settings may have come before this element did.
    settings.addEventListener("change", () => this.offer());
    this.offer();
  }

  /** Open by itself once in the life of a library, on the list of films. */
  offer() {
    if (this.isOffered || settings.get("welcomed") !== "no") return;
    if (document.documentElement.dataset.screen !== "home") return;
    this.isOffered = true;
    this.open();
  }

  /** Open at a step; the model's is 1. */
  open(step = 0) {
    this.show(step);
    if (!this.dialog.open) this.dialog.showModal();
  }

  async closed() {
    if (settings.get("welcomed") === "no") await store.ask(() => settings.put({ welcomed: "yes" }));
  }

  refresh() {
    if (!this.dialog.open) return;
    if (store.projectId && this.step === 2) this.dialog.close();
    else this.load();
  }

  async load() {
    this.machine = await store.ask(() => api.get("/api/machine")) ?? this.machine;
    if (this.step === 0) this.showMachine();
  }

  forward() {
    if (this.step === STEPS.length - 1) this.dialog.close();
    else this.show(this.step + 1);
  }

  show(step) {
    this.step = step;
    this.stepButtons.forEach((one, index) => {
      if (index === step) one.setAttribute("aria-current", "step");
      else one.removeAttribute("aria-current");
    });
    this.back.disabled = step === 0;
    setText(this.next, step === STEPS.length - 1 ? "Close" : "Next");
    if (step === 0) {
      this.showMachine();
      this.load();
    } else if (step === 1) this.showModel();
    else this.showFilms();
  }

  /** The choice as it stands now: nothing is loaded by opening this page. */
  showModel() {
    const isEmbedded = this.machine?.model.is_embedded ?? true;
    (isEmbedded ? this.embedded : this.own).checked = true;
    if (!isEmbedded && !this.path.value) this.path.value = this.machine.model.path;
    fill(this.page, h("h3", {}, "Which model should draw?"), ...this.model);
  }

  showMachine() {
    const { machine } = this;
    const { state, message } = store.engine;
    const gigabytes = (mib) => `${(mib / 1024).toFixed(1)} GB`;
    const engine = { ready: "Ready", starting: "Is being loaded…", failed: message, resting: "Its memory is free" }[state] ?? message;
    const rows = machine ? [
      ["Draws with", machine.device ? `${machine.device}, ${machine.threads === 1 ? "1 thread" : `${machine.threads} threads`}, ${machine.dtype}` : "Known once the model is loaded"],
      ["Processor", `${machine.cores} cores`],
      ["Memory", machine.memory_mib ? gigabytes(machine.memory_mib) : "not told by the system"],
      ["Free disk", h("span", { class: machine.is_short_of_disk ? "bad" : "" }, `${gigabytes(machine.free_mib)}${machine.is_short_of_disk ? ": little. Free some before a long film." : ""}`)],
      ["Films are kept in", h("span", { class: "mono small" }, machine.data_folder)],
      ["Model", machine.model.name],
      ["State", h("span", { class: state === "failed" ? "bad" : state === "ready" ? "good" : "" }, engine)],
      ["A shot takes", machine.seconds_per_shot ? `about ${duration(machine.seconds_per_shot)}, measured here` : "measured when the model is loaded"],
    ] : [];
    fill(this.page, h("h3", {}, "Everything runs on this machine"),
      h("p", {}, "Nothing is sent anywhere and nothing is downloaded. Jobs go on when you close the page; nothing that was made is ever overwritten."),
      machine ? h("dl", {}, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])) : h("p", {}, "Looking at this machine…"));
  }

  buildModel() {
    const radio = (value) => h("input", { type: "radio", name: "model", value, on: { change: () => this.chosen() } });
    this.embedded = radio("embedded");
    this.own = radio("own");
    this.path = h("input", {
      placeholder: "/home/me/models/Wan2.1-T2V-1.3B-Diffusers", "aria-label": "Folder of the model", spellcheck: "false", maxlength: 4096,
      on: { input: () => this.typedPath(), keydown: (event) => event.key === "Enter" && this.check() },
    });
    this.checkButton = button("Check", () => this.check());
    this.use = button("Use this model", () => this.useModel(this.path.value), { hidden: true });
    this.verdict = h("div", { class: "verdict", role: "status" });
    this.model = [
      h("label", { class: "choice" }, this.embedded, h("b", {}, "The small model that ships with the studio"),
        h("p", {}, "Draws a little cartoon world on any computer, in seconds, and has a trained memory. Best for seeing what memory does.")),
      h("label", { class: "choice" }, this.own, h("b", {}, "A Wan model of your own"),
        h("p", {}, "The folder of a Wan checkpoint in the Diffusers layout, with safetensors weights. Nothing in it is run; only its files are looked at."),
        h("div", { class: "path" }, this.path, this.checkButton, this.use)),
      this.verdict,
    ];
  }

  async chosen() {
    if (this.own.checked) this.path.focus();
    else if (this.machine && !this.machine.model.is_embedded) await this.useModel(null);
  }

  typedPath() {
    this.own.checked = true;
    this.use.hidden = true;
    fill(this.verdict);
  }

  async check() {
    this.own.checked = true;
    this.checkButton.disabled = true;
    try {
      const found = await api.post("/api/model/check", { path: this.path.value });
      const isFine = !found.problems.length;
      this.use.hidden = !isFine;
      this.say(!isFine, isFine ? [this.told(found.facts), ...found.notes] : found.problems);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      this.say(true, [error.message]);
    }
    this.checkButton.disabled = false;
  }

  told({ name, size, rate, gigabytes, words, memories }) {
    const memory = memories.length ? "with a trained memory" : "without a trained memory";
    const language = words ? `${words} words` : "any words";
    return `It can be used: ${name}, ${size} at ${rate} frames a second, ${gigabytes} GB, ${language}, ${memory}.`;
  }

  say(isRefused, lines) {
    this.verdict.classList.toggle("refused", isRefused);
    fill(this.verdict, lines.map((line, index) => h("p", {}, isRefused && !index ? h("b", {}, "Cannot be used. ") : null, line)));
  }

  async useModel(path) {
    try {
      this.machine = await api.put("/api/model", { path });
      this.say(false, [`${this.machine.model.name} is being loaded. It is used from now on, also after a restart.`]);
      this.use.hidden = true;
      await store.readEngine();
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      this.say(true, [error.message]);
    }
  }

  showFilms() {
    const samples = document.createElement("mnemo-samples");
    samples.addEventListener("begun", () => this.dialog.close());
    fill(this.page, h("h3", {}, "Begin with a film that shows memory at work"),
      h("p", {}, "One press plans all of its shots; then press Generate all. Or close this and begin with an empty film, a storyboard or a video of your own."),
      samples, h("div", { class: "row" }, button("Empty film", () => this.empty())));
  }

  async empty() {
    this.dialog.close();
    await document.querySelector("mnemo-home").create();
  }
}

customElements.define("mnemo-welcome", Welcome);
