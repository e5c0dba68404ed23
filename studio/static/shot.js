/** The shot in focus: prompt, length, seed, memory, and what fed its take. Edits as one types. */

import { button, debounce, fill, h, setText, StudioElement } from "./dom.js";
import { cancel } from "./jobs.js";
import { fieldOf, legalLengths, titleOf, unknownWords } from "./model.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { jobText } from "./timeline_shots.js";
import { duration, seconds } from "./timecode.js";

const TYPING_MS = 600;
const STRENGTHS = [[0, "Hard cut"], [1, "As it is"], [2, "Strong"]];
const MOST_STRENGTH = 4;

const styles = sheet(`
.title { font-weight: 600; font-size: 14px; background: transparent; border-color: transparent; padding: 2px 6px; margin-left: -6px; flex: 1; }
.prompt { min-height: 92px; width: 100%; }
.unknown { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; font-size: 12px; color: var(--mn-warn); min-height: 20px; }
.promptbox { gap: 5px; }
.unknown .chip { color: var(--mn-warn); background: #e5c07b1f; }
.words { display: flex; flex-wrap: wrap; gap: 4px; max-height: 132px; overflow: auto; padding: 2px; }
.words button { min-height: 22px; padding: 0 7px; font-size: 12px; border-color: transparent; }
summary { cursor: pointer; color: var(--mn-dim); font-size: 12px; }
summary:hover { color: var(--mn-text); }
.seed { display: flex; gap: 4px; }
.seed input { width: 100%; }
.strength { display: grid; grid-template-columns: 1fr 44px; gap: 8px; align-items: center; }
.strength output { text-align: right; font-family: var(--mn-mono); font-size: 12px; }
.go { display: flex; gap: 8px; }
.go button { flex: 1; min-height: 32px; }
.stale { border-left: 3px solid var(--mn-warn); background: var(--mn-well); padding: 8px 10px; border-radius: 4px; font-size: 12.5px; }
select { width: 100%; }
input[type="number"] { width: 100%; }
`);

class Shot extends StudioElement {
  static topics = ["document", "selection", "playhead", "jobs", "engine", "project"];
  static styles = [panel, styles];

  build() {
    this.shotId = null;
    this.saved = new Map();
    this.empty = h("div", { class: "empty" }, h("b", {}, "No shot"), h("span", {}, "Import a storyboard, or a video of your own, to begin."));
    this.titleField = this.text("title", { class: "title", "aria-label": "Title of the shot", maxlength: 200 });
    this.prompt = h("textarea", {
      class: "prompt", "aria-label": "Prompt", maxlength: 4000, placeholder: "What happens in this shot?",
      on: { input: () => this.typed("prompt", this.prompt.value), blur: () => this.flush() },
    });
    this.unknown = h("div", { class: "unknown", role: "status" });
    this.wordList = h("div", { class: "words" });
    this.wordSummary = h("summary", {});
    this.words = h("details", { hidden: true }, this.wordSummary, this.wordList);
    this.buildFields();
    this.buildActions();
    this.body = h("div", { style: { display: "contents" } },
      h("div", { class: "row" }, this.titleField, this.lock, this.mute),
      h("section", { class: "promptbox" }, this.prompt, this.unknown, this.words),
      this.stale, this.actions,
      h("section", { class: "pair" }, this.field("Length", this.length), this.field("Seed", this.seedRow)),
      this.memorySection, this.reads, this.more);
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
        input: () => setText(this.strengthText, Number(this.strength.value).toFixed(2)),
        change: () => this.set("strength", Number(this.strength.value)),
      },
    });
    this.strengthText = h("output", {});
    this.presets = STRENGTHS.map(([value, label]) => button(label, () => this.set("strength", value)));
    this.memorySection = h("section", { class: "split" }, h("h3", {}, "Memory"),
      h("div", { class: "strength" }, this.strength, this.strengthText),
      h("div", { class: "segments", role: "group", "aria-label": "Memory strength" }, ...this.presets),
      this.field("System", this.system));
    this.memorySection.querySelector(".segments").style.justifySelf = "start";
    this.more = h("details", {}, h("summary", {}, "Steps and guidance"),
      h("div", { class: "pair", style: { "margin-top": "8px" } }, this.field("Steps", this.steps), this.field("Guidance", this.guidance)));
    this.reads = document.createElement("mnemo-reads");
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
    this.stale = h("div", { class: "stale", hidden: true },
      "What this shot would read from memory now differs from what it read. Regenerate it to bring it up to date.");
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
    if (name === "prompt") this.showUnknown(value);
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
    this.showUnknown(this.prompt.value);
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
    this.showWords();
  }

  /** Bring a field up to date, but never under the hands that type in it. */
  put(element, name, value) {
    if (this.saved.has(`${this.shotId} ${name}`)) return;
    const text = String(value ?? "");
    if (element.value !== text) element.value = text;
  }

  showUnknown(prompt) {
    const words = unknownWords(prompt, store.engine.info?.words);
    const key = words.join(" ");
    if (this.unknown.dataset.words === key) return;
    this.unknown.dataset.words = key;
    this.unknown.title = words.length ? "The model never saw these words: they will be drawn as nothing it knows." : "";
    fill(this.unknown, words.length ? h("span", {}, "The model does not know") : null,
      words.map((word) => h("span", { class: "chip" }, word)));
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
    setText(this.strengthText, Number(strength).toFixed(2));
    this.presets.forEach((one, at) => one.setAttribute("aria-pressed", STRENGTHS[at][0] === strength));
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

  showWords() {
    const words = store.engine.info?.words ?? [];
    this.words.hidden = !words.length;
    if (!words.length || this.wordList.childElementCount === words.length) return;
    setText(this.wordSummary, `Words the model knows (${words.length})`);
    fill(this.wordList, words.map((word) => button(word, () => this.insert(word))));
  }

  insert(word) {
    const { selectionStart: from, selectionEnd: to, value } = this.prompt;
    const space = from && !/\s$/.test(value.slice(0, from)) ? " " : "";
    this.prompt.setRangeText(`${space}${word}`, from, to, "end");
    this.prompt.focus();
    this.typed("prompt", this.prompt.value);
  }
}

customElements.define("mnemo-shot", Shot);
