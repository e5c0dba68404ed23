/** Making another take: with the same or another seed, another prompt, a range, a variation. */

import * as api from "./api.js";
import { markedFrames, redoneRange, strengthWords } from "./anchors.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { finished } from "./jobs.js";
import { PromptWords, wordStyles } from "./promptwords.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

const MOST_TAKES = 16;
const MODES = [
  ["new", "New take", "From nothing, with what the shot says."],
  ["range", "Range", "Some frames are made anew, the rest of the take is held."],
  ["variation", "Variation", "The whole take is gone over again: little or much."],
];

const styles = sheet(`
.root { display: grid; gap: 10px; border-bottom: 1px solid var(--mn-line); padding-bottom: 14px; }
.segments { justify-self: start; }
textarea { width: 100%; min-height: 52px; }
.strip { position: relative; height: 46px; background: #000 0 0 / 100% 100% no-repeat; border-radius: 4px; overflow: hidden; }
.held { position: absolute; top: 0; bottom: 0; background: var(--mn-scrim); }
.redo { position: absolute; top: 0; bottom: 0; border: 2px solid var(--mn-accent); border-radius: 3px; }
.line { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
.line input[type="number"] { width: 64px; }
.far { display: grid; grid-template-columns: 1fr 48px; gap: 8px; align-items: center; }
.far output { text-align: right; }
.note { background: var(--mn-well); border-left: 3px solid var(--mn-accent); border-radius: 4px; padding: 8px 10px; display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
`);

class Again extends StudioElement {
  static topics = ["document", "selection", "jobs", "engine", "range", "project"];
  static styles = [styles, ...wordStyles];

  build() {
    this.takes = [];
    this.mode = "new";
    this.isNewSeed = true;
    this.base = null;
    this.modeButtons = MODES.map(([mode, label, title]) => button(label, () => this.setMode(mode), { title }));
    this.from = h("select", { "aria-label": "Take to start from", on: { change: () => this.setBase(this.from.value) } });
    this.fromRow = h("label", { class: "field" }, h("span", {}, "Start from"), this.from);
    this.buildRange();
    this.far = h("input", {
      type: "range", min: 2, max: 100, step: 1, value: 100, "aria-label": "How far the variation goes",
      on: { input: () => this.refresh() },
    });
    this.farText = h("output", { class: "mono small" });
    this.farWords = h("span", { class: "dim small" });
    this.farRow = h("div", {}, h("div", { class: "far" }, this.far, this.farText), this.farWords);
    this.prompt = h("textarea", {
      "aria-label": "Another prompt, for this take only", maxlength: 4000,
      on: { input: () => this.refresh() },
    });
    this.words = new PromptWords(this.prompt);
    this.seedButtons = [["Same seed", false], ["New seed", true]].map(([label, isNew]) => button(label, () => {
      this.isNewSeed = isNew;
      this.refresh();
    }));
    this.count = h("input", {
      type: "number", min: 1, max: MOST_TAKES, step: 1, value: 1, "aria-label": "Number of takes",
      on: { input: () => this.refresh() },
    });
    this.make = button("Make take", () => this.queue(), { class: "primary" });
    this.note = h("div", { class: "note small", hidden: true, role: "status" });
    this.root.append(
      h("div", { class: "segments", role: "group", "aria-label": "Kind of take" }, ...this.modeButtons),
      this.fromRow, this.rangeRow, this.farRow, ...this.words.elements,
      h("div", { class: "line" },
        h("div", { class: "segments", role: "group", "aria-label": "Seed" }, ...this.seedButtons),
        h("label", { class: "row small" }, "Takes", this.count), this.make),
      this.note);
  }

  buildRange() {
    const number = (label) => h("input", {
      type: "number", min: 0, step: 1, "aria-label": label,
      on: { input: () => this.refresh() },
    });
    this.first = number("First frame");
    this.last = number("Last frame");
    this.strip = h("div", { class: "strip" });
    this.rangeWords = h("span", { class: "small", role: "status" });
    this.rangeRow = h("section", { style: { display: "grid", gap: "6px" } }, this.strip,
      h("div", { class: "line small" }, "Frames", this.first, "to", this.last,
        button("From the marks", () => this.takeMarks(), { class: "plain", title: "Use the in and out marks of the timeline (I and O)" })),
      this.rangeWords);
  }

  /** The takes that can be started from. */
  offer(takes) {
    this.takes = takes;
    const picked = takes.find((take) => take.picked);
    const isKnown = takes.some((take) => take.take_id === this.base?.take_id);
    if (!isKnown) this.adopt(picked ?? takes.at(-1) ?? null);
    this.refresh();
  }

  adopt(take) {
    this.base = take;
    this.first.value = 0;
    this.last.value = take ? take.num_frames - 1 : 0;
    if (take?.picked) this.takeMarks();
  }

  setBase(takeId) {
    this.adopt(this.takes.find((take) => take.take_id === takeId) ?? null);
    this.refresh();
  }

  startFrom(take) {
    this.adopt(take);
    this.setMode(this.mode === "new" ? "variation" : this.mode);
    this.scrollIntoView({ block: "nearest" });
  }

  setMode(mode) {
    this.mode = mode;
    this.far.value = mode === "variation" ? 50 : 100;
    this.refresh();
  }

  /** Take over what the timeline's in and out marks say of this shot. */
  takeMarks() {
    const shot = store.focus;
    if (!shot?.take || shot.take.take_id !== this.base?.take_id) return;
    const marked = markedFrames(shot, store.starts[store.indexOf(shot.shot_id)], store.range);
    if (!marked) return;
    this.first.value = marked.in;
    this.last.value = marked.out - 1;
    this.refresh();
  }

  /** The range in frames of the take, put in order; the numbers may be half typed. */
  get range() {
    const most = (this.base?.num_frames ?? 1) - 1;
    const whole = (input) => Math.max(0, Math.min(most, Math.round(Number(input.value) || 0)));
    const [from, to] = [whole(this.first), whole(this.last)].sort((a, b) => a - b);
    return { in: from, out: to + 1 };
  }

  refresh() {
    const shot = store.focus;
    if (!shot) return;
    this.words.show(store.engine.info);
    const hasBase = Boolean(this.base);
    if (!hasBase && this.mode !== "new") this.mode = "new";
    this.modeButtons.forEach((one, index) => {
      one.setAttribute("aria-pressed", MODES[index][0] === this.mode);
      one.disabled = MODES[index][0] !== "new" && !hasBase;
    });
    this.seedButtons.forEach((one, index) => one.setAttribute("aria-pressed", this.isNewSeed === Boolean(index)));
    this.fromRow.hidden = this.mode === "new";
    this.rangeRow.hidden = this.mode !== "range";
    this.farRow.hidden = this.mode === "new";
    this.prompt.placeholder = shot.prompt ? `Another prompt for this take only. Empty: ${shot.prompt}` : "What does this take show?";
    this.showBases();
    if (this.mode === "range") this.showRange();
    const far = Number(this.far.value);
    setText(this.farText, `${far} %`);
    setText(this.farWords, strengthWords(far / 100));
    const count = this.number;
    setText(this.make, count > 1 ? `Make ${count} takes` : "Make take");
    this.make.disabled = Boolean(shot.locked) || store.engine.state === "failed" || !(this.prompt.value.trim() || shot.prompt.trim());
  }

  get number() {
    return Math.max(1, Math.min(MOST_TAKES, Math.round(Number(this.count.value) || 1)));
  }

  showBases() {
    const key = this.takes.map((take) => `${take.take_id}${take.picked}`).join(" ");
    if (this.from.dataset.takes !== key) {
      this.from.dataset.takes = key;
      fill(this.from, this.takes.map((take) => h("option", { value: take.take_id },
        `${take.kind === "footage" ? "Footage" : `Take ${take.number}`}${take.picked ? " (in the cut)" : ""}`)));
    }
    this.from.value = this.base?.take_id ?? "";
  }

  showRange() {
    const { num_frames: length, strip } = this.base;
    const wished = this.range;
    const redone = redoneRange(wished.in, wished.out, length);
    const place = (frame) => `${(100 * frame) / length}%`;
    const block = (name, from, to) => h("div", { class: name, style: { left: place(from), width: place(to - from) } });
    this.strip.style.backgroundImage = `url("${encodeURI(strip)}")`;
    fill(this.strip, block("held", 0, redone.in), block("held", redone.out, length), block("redo", redone.in, redone.out));
    this.first.max = this.last.max = length - 1;
    const isSame = redone.in === wished.in && redone.out === wished.out;
    const really = `Frames ${redone.in} to ${redone.out - 1} of ${length} are made anew`;
    setText(this.rangeWords, isSame ? `${really}; all others are held.`
      : `${really}: 4 frames share a latent frame, so the range grows to whole ones. All others are held.`);
  }

  body(isNewSeed) {
    const shot = store.focus;
    const body = { shot_ids: [shot.shot_id], new_seed: isNewSeed, num_takes: this.number };
    const prompt = this.prompt.value.trim();
    if (prompt) body.prompt = prompt;
    if (this.mode === "new") return body;
    body.base = { take_id: this.base.take_id, strength: Number(this.far.value) / 100 };
    if (this.mode === "range") Object.assign(body.base, this.range);
    if (!isNewSeed && this.base.kind !== "footage") body.seed = this.base.seed;
    return body;
  }

  async queue(isNewSeed = this.isNewSeed) {
    this.note.hidden = true;
    await store.idle();
    const body = this.body(isNewSeed);
    const reply = await store.ask(() => api.post(`${store.base}/generate`, body));
    if (!reply) return;
    await store.load();
    if (!isNewSeed) this.lookForReuse(reply.jobs[0]);
  }

  /** An equal spec gives the take that is there: say so, and offer another one. */
  async lookForReuse(job) {
    const { result, shot_id: shotId } = (await store.ask(() => finished(job))) ?? {};
    if (!result?.reused || store.focus?.shot_id !== shotId) return;
    this.note.hidden = false;
    fill(this.note, h("span", {}, `Take ${result.number} was made with exactly these settings, so nothing was made again.`),
      button("New take anyway", () => this.queue(true)));
  }
}

customElements.define("mnemo-again", Again);
