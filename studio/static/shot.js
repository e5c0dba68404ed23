/** The shot in focus: prompt, length, seed, memory, and what fed its take. Edits as one types. */

import { button, debounce, fill, h, setText, StudioElement } from "./dom.js";
import { fieldOf } from "./edits.js";
import { cancel } from "./jobs.js";
import { legalLengths, titleOf } from "./model.js";
import { PromptWords, wordStyles } from "./promptwords.js";
import { store } from "./store.js";
import { allEffects, effectAt } from "./strength.js";
import { panel, sheet } from "./style.js";
import { jobText } from "./timeline_shots.js";
import { duration, seconds } from "./timecode.js";

const TYPING_MS = 600;
const MOST_STRENGTH = 4;

const styles = sheet(`
.title { font-weight: 600; font-size: 14px; background: transparent; border-color: transparent; padding: 2px 6px; margin-left: -6px; flex: 1; }
.prompt { min-height: 92px; width: 100%; }
.promptbox { gap: 5px; }
summary { cursor: pointer; color: var(--mn-dim); font-size: 12px; }
summary:hover { color: var(--mn-text); }
.seed { display: flex; gap: 4px; }
.seed input { width: 100%; }
.strength { display: grid; grid-template-columns: 1fr 44px; gap: 8px; align-items: center; }
.strength output { text-align: right; font-family: var(--mn-mono); font-size: 12px; }
.go { display: flex; gap: 8px; }
.go button { min-height: 32px; }
.go .primary { flex: 1; min-width: 0; display: block; overflow: hidden; text-overflow: ellipsis; }
.title::placeholder { color: var(--mn-text); }
mnemo-stale[hidden] { display: none; }
select { width: 100%; }
input[type="number"] { width: 100%; }
`);

class Shot extends StudioElement {
  static topics = ["document", "selection", "focus", "jobs", "engine", "project"];
  static styles = [panel, styles, ...wordStyles];

  build() {
    this.shotId = null;
    this.saved = new Map();
    this.empty = h("div", { class: "empty" }, h("b", {}, "No shot"), h("span", {}, "Write the first shot, or several at once, to begin."));
    this.titleField = this.text("title", { class: "title", "aria-label": "Title of the shot", maxlength: 200 });
    this.prompt = h("textarea", {
      class: "prompt", "aria-label": "Prompt", maxlength: 4000, placeholder: "What happens in this shot?",
      on: { input: () => this.typed("prompt", this.prompt.value), blur: () => this.leave() },
    });
    this.words = new PromptWords(this.prompt);
    // After the words: while their list is open, Esc and Enter are theirs.
    this.prompt.addEventListener("keydown", (event) => this.leaveByKey(event));
    this.buildFields();
    this.buildActions();
    this.body = h("div", { style: { display: "contents" } },
      h("div", { class: "row" }, this.titleField, this.lock, this.mute),
      h("section", { class: "promptbox" }, ...this.words.elements),
      this.stale, this.actions,
      h("section", { class: "pair" }, this.field("Length", this.length), this.field("Seed", this.seedRow)),
      this.memorySection, this.reads, this.notes, this.pinSection, this.presetSection, this.more);
    this.root.append(this.empty, this.body);
  }

  field(label, element) {
    return h("label", { class: "field" }, h("span", {}, label), element);
  }

  text(name, properties) {
    const input = h("input", {
      ...properties, on: { input: () => this.typed(name, input.value), blur: () => this.flush() },
    });
    return input;
  }

  number(name, properties) {
    const input = h("input", { type: "number", ...properties, on: {
      change: () => this.set(name, input.value === "" ? properties.empty : Number(input.value)),
    } });
    return input;
  }

  buildFields() {
    this.length = h("select", { on: { change: () => this.set("num_frames", Number(this.length.value)) } });
    this.seed = this.number("seed", { min: 0, max: 2 ** 31 - 1, step: 1, empty: 0, "aria-label": "Seed" });
    this.seedRow = h("div", { class: "seed" }, this.seed, button("New", () => this.newSeed(), { title: "Another random seed" }));
    this.steps = this.number("num_steps", { min: 0, max: 100, step: 1, empty: 0, placeholder: "Default" });
    this.guidance = this.number("guidance", { min: 0, max: 20, step: 0.1, empty: null, placeholder: "Default" });
    this.system = h("select", { on: { change: () => this.set("memory_system", this.system.value) } });
    this.strength = h("input", {
      type: "range", min: 0, max: MOST_STRENGTH, step: 0.05, "aria-label": "Memory strength",
      on: {
        input: () => this.showStrength(Number(this.strength.value)),
        change: () => this.set("strength", Number(this.strength.value)),
      },
    });
    this.strengthText = h("output", {});
    this.strengthEffect = h("p", { class: "dim small", id: "strength-effect" });
    this.strength.setAttribute("aria-describedby", "strength-effect");
    this.memorySection = h("section", { class: "split memory" }, h("h3", {}, "Memory"),
      h("div", { class: "strength" }, this.strength, this.strengthText),
      this.strengthEffect, this.field("System", this.system));
    this.more = h("details", {}, h("summary", {}, "Steps and guidance"),
      h("div", { class: "pair", style: { "margin-top": "8px" } }, this.field("Steps", this.steps), this.field("Guidance", this.guidance)));
    this.reads = document.createElement("mnemo-reads");
    this.notes = document.createElement("mnemo-notes");
    this.pinSection = h("section", { class: "split" }, h("h3", {}, "Starts and ends with"), document.createElement("mnemo-pins"));
    this.presetSection = h("section", {}, h("h3", {}, "Preset"), document.createElement("mnemo-presets"));
  }

  buildActions() {
    const toggle = (name, label, title) => button(label, () => {
      const shot = this.shot();
      if (shot) this.set(name, !shot[name]);
    }, { title });
    this.lock = toggle("locked", "Lock", "A locked shot keeps its take, whatever is generated");
    this.mute = toggle("muted", "Mute", "A muted shot is left out of picture and memory");
    this.make = button("Generate", () => this.generate(), { class: "primary" });
    this.cancel = button("Cancel", () => this.stop());
    this.actions = h("div", { class: "go" }, this.make, this.cancel);
    this.stale = document.createElement("mnemo-stale");
  }

  shot() {
    return store.shots[store.indexOf(this.shotId)] ?? null;
  }

  set(name, value) {
    if (!this.shot()) return;
    store.edit({ kind: "set", shot_id: this.shotId, fields: { [name]: value } });
  }

  /** Keep what is typed for this shot and send it once the typing rests. */
  typed(name, value) {
    const id = this.shotId;
    const key = `${id} ${name}`;
    if (!this.saved.has(key)) {
      this.saved.set(key, debounce((text) => {
        this.saved.delete(key);
        const shot = store.shots[store.indexOf(id)];
        if (shot && fieldOf(shot, name) !== text) store.edit({ kind: "set", shot_id: id, fields: { [name]: text } });
      }, TYPING_MS));
    }
    this.saved.get(key)(value);
    if (name === "prompt") this.words.show(store.engine.info);
  }

  leave() {
    this.flush();
    this.words.show(store.engine.info);
  }

  /** Esc goes back to the shots, Ctrl+Enter generates and goes back. */
  leaveByKey(event) {
    const isMade = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (event.defaultPrevented || event.isComposing || !(isMade || event.key === "Escape")) return;
    event.preventDefault();
    document.querySelector("mnemo-timeline").viewport.focus({ preventScroll: true });
    if (isMade) this.generate();
  }

  flush() {
    for (const save of [...this.saved.values()]) save.flush();
  }

  newSeed() {
    this.set("seed", crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
  }

  async generate() {
    this.flush();
    const shot = this.shot();
    if (!shot) return;
    await store.idle();
    if (shot.locked) store.announce(`${store.nameOf(shot.shot_id)} is locked: unlock it first.`, "bad");
    else await store.generate([shot.shot_id], Boolean(shot.take));
  }

  stop() {
    const job = store.jobOf(this.shotId);
    if (job) cancel(job.id);
  }

  editPrompt() {
    this.prompt.focus();
    this.prompt.setSelectionRange(this.prompt.value.length, this.prompt.value.length);
  }

  rename() {
    this.titleField.focus();
    this.titleField.select();
  }

  refresh() {
    const shot = store.focus;
    this.empty.hidden = Boolean(shot);
    this.body.hidden = !shot;
    if (!shot) return;
    if (shot.shot_id !== this.shotId) {
      this.flush();
      this.shotId = shot.shot_id;
    }
    const index = store.indexOf(shot.shot_id);
    this.titleField.placeholder = `Shot ${index + 1}`;
    this.put(this.titleField, "title", titleOf(shot));
    this.put(this.prompt, "prompt", shot.prompt);
    this.words.show(store.engine.info);
    this.showLength(shot);
    this.showNumbers(shot);
    this.showSystems(shot);
    for (const input of [this.titleField, this.prompt, this.length, this.seed, this.steps, this.guidance, this.strength, this.system]) {
      input.disabled = Boolean(shot.locked);
    }
    this.length.disabled = Boolean(shot.locked) || shot.take?.kind === "footage";
    this.lock.setAttribute("aria-pressed", Boolean(shot.locked));
    this.mute.setAttribute("aria-pressed", Boolean(shot.muted));
    this.stale.hidden = !shot.stale;
    this.showActions(shot);
  }

  /** Bring a field up to date, but never under the hands that type in it. */
  put(element, name, value) {
    if (this.saved.has(`${this.shotId} ${name}`)) return;
    const text = String(value ?? "");
    if (element.value !== text) element.value = text;
  }

  showLength(shot) {
    const { info } = store.engine;
    const lengths = new Set(info ? legalLengths(info.frame_multiple, info.max_frames) : []);
    lengths.add(shot.num_frames);
    const sorted = [...lengths].sort((a, b) => a - b);
    const key = sorted.join(" ");
    if (this.length.dataset.lengths !== key) {
      this.length.dataset.lengths = key;
      fill(this.length, sorted.map((frames) => h("option", { value: frames },
        `${frames} frames, ${duration(seconds(frames, store.rate))}`)));
    }
    this.length.value = shot.num_frames;
  }

  showNumbers(shot) {
    const { info } = store.engine;
    const active = this.shadowRoot.activeElement;
    const write = (input, value) => {
      if (input !== active) input.value = value ?? "";
    };
    write(this.seed, shot.params.seed);
    write(this.steps, shot.params.num_steps || "");
    write(this.guidance, shot.params.guidance);
    if (info) this.steps.placeholder = `Default (${info.num_steps})`;
    if (info) this.guidance.placeholder = `Default (${info.guidance})`;
    const strength = shot.memory.strength ?? info?.strength ?? 1;
    if (this.strength !== active || !this.strength.matches(":active")) this.strength.value = strength;
    this.showStrength(Number(strength));
  }

  showStrength(strength) {
    const effects = store.engine.info?.strength_effects;
    setText(this.strengthText, strength.toFixed(2));
    setText(this.strengthEffect, effectAt(effects, strength));
    this.strength.title = allEffects(effects);
  }

  showSystems(shot) {
    const systems = [...(store.engine.info?.systems ?? [])].map(({ name, title }) => ({ name, title: title || name }));
    if (!systems.some(({ name }) => name === shot.memory.system)) systems.push({ name: shot.memory.system, title: shot.memory.system });
    const key = systems.map(({ name }) => name).join(" ");
    if (this.system.dataset.systems !== key) {
      this.system.dataset.systems = key;
      fill(this.system, systems.map(({ name, title }) => h("option", { value: name }, title)));
    }
    this.system.value = shot.memory.system;
  }

  showActions(shot) {
    const job = store.jobOf(shot.shot_id);
    const isFootage = shot.take?.kind === "footage";
    setText(this.make, job ? jobText(job) : shot.take ? "Regenerate (new seed)" : "Generate this shot");
    this.make.disabled = Boolean(job) || shot.locked || store.engine.state === "failed";
    this.cancel.hidden = !job;
    this.cancel.disabled = job?.state === "cancelling";
    this.actions.hidden = isFootage;
  }
}

customElements.define("mnemo-shot", Shot);
