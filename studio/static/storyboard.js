/** Importing a storyboard: the text as it is, the plan it would become, then Apply. */

import * as api from "./api.js";
import { button, debounce, fill, h, setText, StudioElement } from "./dom.js";
import { Palette, paletteStyles } from "./palette.js";
import { PromptField, promptStyles } from "./promptfield.js";
import { store } from "./store.js";
import { dialog, sheet } from "./style.js";
import { duration, format, seconds } from "./timecode.js";
import { entriesOf, nearWords } from "./words.js";

const PLAN_WAIT_MS = 350;
const MAX_FILE_BYTES = 1 << 20;

const styles = sheet(`
dialog { width: min(1180px, calc(100vw - 48px)); height: min(720px, calc(100vh - 48px)); }
dialog[open] { display: flex; flex-direction: column; }
.panes { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(280px, 5fr) 8fr; }
.pane { min-height: 0; min-width: 0; padding: 14px 16px; display: flex; flex-direction: column; gap: 10px; }
.pane + .pane { border-left: 1px solid var(--mn-line); }
.promptfield { flex: 1; min-height: 120px; }
textarea { resize: none; font-family: var(--mn-mono); font-size: 12.5px; line-height: 1.65; white-space: pre-wrap; overflow: auto; padding: 10px 12px; }
textarea.over { border-color: var(--mn-accent); }
.result { flex: 1; min-height: 0; overflow: auto; display: flex; flex-direction: column; gap: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 12.5px; }
th { text-align: left; font-weight: 500; color: var(--mn-dim); position: sticky; top: 0; background: var(--mn-panel); padding: 0 10px 6px 0; white-space: nowrap; }
td { padding: 6px 10px 6px 0; border-top: 1px solid var(--mn-line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.prompt { width: 100%; overflow-wrap: anywhere; }
.unknown { color: var(--mn-warn); display: block; font-size: 12px; }
.note summary { cursor: pointer; }
.note { padding: 8px 10px; border-radius: 4px; background: var(--mn-well); border-left: 3px solid var(--mn-warn); font-size: 12.5px; overflow-wrap: anywhere; }
.note.refused { border-color: var(--mn-bad); }
.hint { color: var(--mn-dim); margin: auto; text-align: center; max-width: 330px; display: grid; gap: 12px; justify-items: center; }
.hint code { font-family: var(--mn-mono); font-size: 12px; color: var(--mn-text); display: block; text-align: left; line-height: 1.8; }
.modes label { display: inline-flex; gap: 6px; align-items: center; margin-right: 14px; }
`);

class Storyboard extends StudioElement {
  static topics = ["document", "engine"];
  static styles = [dialog, styles, promptStyles, paletteStyles];

  build() {
    this.plan = null;
    this.replan = debounce(() => this.read(), PLAN_WAIT_MS);
    this.text = h("textarea", {
      "aria-label": "Storyboard", spellcheck: "false", placeholder: "Paste a storyboard, or drop a text or JSON file here.",
      on: {
        input: () => this.replan(),
        dragover: (event) => this.over(event, true),
        dragleave: (event) => this.over(event, false),
        drop: (event) => this.drop(event),
      },
    });
    this.field = new PromptField(this.text, { allows: inPrompt });
    this.palette = new Palette((text) => this.field.insert(text));
    this.result = h("div", { class: "result", "aria-live": "polite" });
    this.apply = button("Apply", () => this.commit(), { class: "primary", disabled: true });
    this.total = h("span", { class: "dim grow clip" });
    const close = () => this.dialog.close();
    this.dialog = h("dialog", { "aria-label": "Import a storyboard" },
      h("header", {}, h("h2", {}, "Import a storyboard"),
        button("✕", close, { class: "plain icon", "aria-label": "Close" })),
      h("div", { class: "panes" },
        h("div", { class: "pane" }, this.field.element, this.palette.element, h("div", { class: "row" },
          button("Use the sample storyboard", () => this.sample()),
          button("Open a file…", () => this.choose()))),
        h("div", { class: "pane" }, this.result)),
      h("footer", {}, this.modes(), this.total, button("Cancel", close), this.apply));
    this.root.append(this.dialog);
  }

  modes() {
    const choice = (mode, label) => h("label", {},
      h("input", { type: "radio", name: "mode", value: mode, checked: mode === "append" }), label);
    this.modeChoice = h("div", { class: "modes" }, choice("append", "Add to the end"),
      choice("replace", "Replace the cut"));
    return this.modeChoice;
  }

  refresh() {
    this.modeChoice.style.visibility = store.shots.length ? "" : "hidden";
    const { info } = store.engine;
    if (this.wordsOf === info) return;
    this.wordsOf = info;
    this.field.entries = entriesOf(info);
    this.palette.show(info);
  }

  open({ sample = false, text = "", file = null } = {}) {
    this.refresh();
    if (!this.dialog.open) this.dialog.showModal();
    this.text.focus();
    if (sample) this.sample();
    else if (file) this.readFile(file);
    else if (text) this.take(text);
    else this.read();
  }

  async sample() {
    const response = await fetch("/storyboards/mia-travels.txt");
    this.text.value = await response.text();
    await this.read();
  }

  over(event, isOver) {
    event.preventDefault();
    this.text.classList.toggle("over", isOver);
  }

  drop(event) {
    this.over(event, false);
    const [file] = event.dataTransfer.files;
    if (file) this.readFile(file);
    else this.take(event.dataTransfer.getData("text/plain"));
  }

  choose() {
    const input = h("input", { type: "file", accept: ".txt,.json,.md,.csv,text/*,application/json" });
    input.addEventListener("change", () => this.readFile(input.files[0]));
    input.click();
  }

  async readFile(file) {
    if (file.size > MAX_FILE_BYTES) {
      this.refuse(`${file.name} has ${Math.ceil(file.size / 1024)} KB. A storyboard has at most 1024 KB of text.`);
      return;
    }
    this.take(await file.text());
  }

  take(text) {
    this.text.value = text;
    this.read();
  }

  /** Ask for the plan of what stands in the field; only the newest answer is shown. */
  async read() {
    const text = this.text.value;
    this.plan = null;
    this.apply.disabled = true;
    setText(this.total, "");
    if (!text.trim()) {
      fill(this.result, this.hint());
      return;
    }
    try {
      const plan = await api.post(`${store.base}/storyboard/plan`, { text });
      if (text === this.text.value) this.show(plan);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      if (text === this.text.value) this.refuse(error.message, error.body.problems);
    }
  }

  hint() {
    return h("div", { class: "hint" },
      h("b", {}, "One line is one shot"),
      h("code", {}, "00:00:00:00 mia stands in the park", h("br"), "[00:00:02] mia walks right", h("br"),
        "0:04-0:06 mia waves on the beach"),
      h("span", {}, "Your words are used exactly as they are. Nothing changes in the film until you apply the plan."));
  }

  refuse(message, problems = []) {
    fill(this.result, h("div", { class: "note refused" }, message),
      ...problems.map((problem) => this.problem(problem)));
  }

  problem({ line, text, message }) {
    return h("div", { class: "note" }, h("b", {}, `Line ${line}: `), message,
      text ? h("div", { class: "mono small dim" }, text) : null);
  }

  show(plan) {
    this.plan = plan;
    const { rate } = store;
    const unknown = new Set(plan.shots.flatMap((shot) => shot.unknown_words));
    unknown.delete(this.field.growing);
    this.field.unknown = [...unknown];
    const rows = plan.shots.map((shot, index) => h("tr", {},
      h("td", { class: "number dim" }, shot.title || String(index + 1)),
      h("td", { class: "number mono" }, format(shot.start, rate)),
      h("td", { class: "prompt" }, shot.prompt, shot.unknown_words.length
        ? h("span", { class: "unknown" }, this.unknownIn(shot)) : null),
      h("td", { class: "number", title: `${seconds(shot.num_frames, rate).toFixed(2)} s` }, this.length(shot)),
      h("td", { class: "number" }, shot.memory_tokens.toLocaleString("en")),
      h("td", { class: "number" }, shot.estimated_seconds ? `≈ ${duration(shot.estimated_seconds)}` : "not measured")));
    const heads = [["number", "Shot"], ["number", "Start"], ["", "Prompt"], ["number", "Frames"],
      ["number", "Memory tokens"], ["number", "Time"]];
    fill(this.result, ...this.notes(plan), h("table", {},
      h("thead", {}, h("tr", {}, ...heads.map(([style, text]) => h("th", { class: style, scope: "col" }, text)))),
      h("tbody", {}, ...rows)), this.lengths(plan));
    const count = plan.shots.length === 1 ? "1 shot" : `${plan.shots.length} shots`;
    setText(this.total, `${duration(seconds(plan.total_frames, rate))} of film`
      + (plan.total_seconds ? ` · about ${duration(plan.total_seconds)} to generate` : ""));
    setText(this.apply, `Apply ${count}`);
    const unread = plan.problems.length;
    if (unread) setText(this.total, unread === 1 ? "1 line cannot be read: mend or remove it." : `${unread} lines cannot be read: mend or remove them.`);
    this.total.classList.toggle("bad", unread > 0);
    this.apply.disabled = unread > 0 || !plan.shots.length;
  }

  unknownIn(shot) {
    const named = shot.unknown_words.map((word) => {
      const near = nearWords(word, store.engine.info?.words ?? [], 2);
      return near.length ? `${word} (${near.join(" or ")}?)` : word;
    });
    return `The model does not know: ${named.join(", ")}`;
  }

  length(shot) {
    const asked = shot.asked_frames;
    if (!asked || asked === shot.num_frames) return String(shot.num_frames);
    return h("span", { title: `${asked} frames asked for; the model makes ${shot.num_frames}` },
      `${shot.num_frames} `, h("span", { class: "dim" }, `(${asked})`));
  }

  /** What the numbers in brackets are, where there are any. */
  lengths(plan) {
    const isOther = plan.shots.some((shot) => shot.asked_frames && shot.asked_frames !== shot.num_frames);
    return isOther ? h("p", { class: "dim small" }, "In brackets: the frames that were asked for. The model makes the nearest length it can.") : null;
  }

  /** Unknown words and other lengths stand in their rows: they are not said twice. */
  notes(plan) {
    const words = plan.shots.flatMap((shot) => shot.unknown_words);
    const said = (warning) => warning.includes("frames asked for") || words.some((word) => warning.includes(word));
    const rest = plan.warnings.filter((warning) => !said(warning));
    const lines = rest.map((warning) => h("div", {}, warning));
    const folded = h("details", { class: "note" }, h("summary", {}, `${rest.length} notes`), ...lines);
    return [
      ...plan.problems.map((problem) => this.problem(problem)),
      ...(rest.length > 2 ? [folded] : lines.map((line) => h("div", { class: "note" }, line))),
    ];
  }

  async commit() {
    const checked = this.modeChoice.querySelector("input:checked");
    this.apply.disabled = true;
    const mode = store.shots.length ? checked.value : "append";
    const reply = await store.storyboard(this.text.value, mode);
    this.apply.disabled = false;
    if (!reply) {
      this.refuse(store.lastRefusal);
      return;
    }
    this.text.value = "";
    this.dialog.close();
  }
}

/** Whether the caret stands in the words of a shot: in JSON only the prompts are. */
function inPrompt(text, caret) {
  if (!/^\s*[[{]\s*["{]/.test(text)) return true;
  const line = text.slice(text.lastIndexOf("\n", caret - 1) + 1, caret);
  return /"(?:prompt|text)"\s*:\s*"[^"]*$/.test(line);
}

customElements.define("mnemo-storyboard", Storyboard);

/** Show the dialog: empty, or with the sample, a text or a file in it. */
export function openStoryboard(options) {
  document.querySelector("mnemo-storyboard").open(options);
}
