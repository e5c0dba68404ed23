/** The memory inspector: a past frame decoded out of memory, beside the frame that was shown. */

import * as api from "./api.js";
import { button, debounce, fill, h, setText, StudioElement } from "./dom.js";
import { gradientOfFilm } from "./fidelity.js";
import { cancel, finished } from "./jobs.js";
import { nameOf } from "./model.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { format } from "./timecode.js";

const SETTLE_MS = 220;
const MOST_KEPT = 200;
const MODES = [
  ["mean", "Mean (1 step)", "One step from pure noise: the honest picture of what memory knows."],
  ["sample", "Sample (8 steps)", "Eight steps: sharper, and partly invented."],
];
const SOURCES = {
  memory: "From memory", probe: "From a probe", archive: "From the archive", none: "Not recalled",
};

const styles = sheet(`
.segments button { padding: 2px 9px; }
.head { display: flex; align-items: center; gap: 8px; justify-content: space-between; }
.scrub { display: grid; grid-template-columns: auto 1fr; align-items: center; gap: 8px; }
.scrub input { width: 100%; }
.heat { height: 6px; border-radius: 2px; background-color: var(--mn-well); margin-top: -4px; }
.stage { position: relative; }
mnemo-compare { transition: opacity .15s; }
.stage.waiting mnemo-compare { opacity: .55; transition-delay: .25s; }
.busy { position: absolute; right: 8px; bottom: 44px; display: flex; gap: 8px; align-items: center; background: var(--mn-scrim); color: var(--mn-on-scrim); padding: 3px 10px; border-radius: 4px; font-size: 12px; }
.source { display: flex; align-items: center; gap: 8px; }
.source b { padding: 1px 8px; border-radius: 3px; background: var(--mn-raised); font-weight: 600; font-size: 12px; }
.source b.memory { background: var(--mn-accent-soft); color: var(--mn-accent); }
.numbers { display: grid; grid-template-columns: repeat(3, 1fr); border: 1px solid var(--mn-line); border-radius: 4px; }
.numbers div { padding: 8px 10px; }
.numbers div + div { border-left: 1px solid var(--mn-line); }
.numbers dt { font-size: 11px; color: var(--mn-dim); }
.numbers dd { margin: 0; font: 600 15px var(--mn-mono); }
dl { margin: 0; }
`);

class Memory extends StudioElement {
  static topics = ["document", "playhead", "project", "fidelity"];
  static styles = [panel, styles];

  build() {
    this.mode = "mean";
    this.frame = 0;
    this.follows = true;
    this.kept = new Map();
    this.wanted = null;
    this.settle = debounce(() => this.recall(), SETTLE_MS);
    // The whole film in colours changes with the cut, not with every frame of a moving playhead.
    this.isHeatOld = true;
    for (const topic of ["document", "fidelity"]) store.addEventListener(topic, () => {
      this.isHeatOld = true;
    });
    this.empty = h("div", { class: "empty" }, h("b", {}, "Nothing to remember yet"),
      h("span", {}, "Generate a shot. Then pick any frame of the past and see what memory has kept of it."));
    this.slider = h("input", {
      type: "range", min: 0, step: 1, value: 0, "aria-label": "Past frame",
      on: { input: () => this.pick(Number(this.slider.value)) },
    });
    this.heat = h("div", { class: "heat", title: "How well memory holds each frame: red 12 dB, green 28 dB, grey not measured" });
    this.time = h("span", { class: "mono small" });
    this.where = h("span", { class: "dim small clip" });
    this.follow = h("input", {
      type: "checkbox", checked: true, on: { change: () => this.setFollow(this.follow.checked) },
    });
    this.compare = document.createElement("mnemo-compare");
    this.busy = h("div", { class: "busy", hidden: true }, h("i", { class: "spin" }), h("span", {}, "Recalling…"));
    this.stage = h("div", { class: "stage" }, this.compare, this.busy);
    this.source = h("div", { class: "source", role: "status" });
    this.numbers = h("dl", { class: "numbers" });
    this.note = h("p", { class: "dim small" });
    this.body = h("div", { style: { display: "contents" } }, ...this.sections());
    this.root.append(this.empty, this.body);
  }

  sections() {
    this.modeButtons = MODES.map(([mode, label, title]) => h("button", {
      type: "button", title, on: { click: () => this.setMode(mode) },
    }, label));
    return [
      h("section", {},
        h("div", { class: "head" }, this.where,
          h("label", { class: "row small" }, this.follow, "Follow the playhead")),
        h("div", { class: "scrub" }, this.time, this.slider, h("span", {}), this.heat),
        h("div", { class: "row" }, h("div", { class: "segments", role: "group", "aria-label": "Recall mode" }, ...this.modeButtons),
          button("↻", () => this.again(), { class: "plain icon", "aria-label": "Recall again", title: "Recall this frame once more" }))),
      h("section", {}, this.stage),
      h("section", {}, this.source, this.numbers, this.note),
      document.createElement("mnemo-systems"),
    ];
  }

  setMode(mode) {
    this.mode = mode;
    this.refresh();
    this.recall();
  }

  setFollow(follows) {
    this.follows = follows;
    this.refresh();
  }

  /** Choose a frame by the panel's own scrubber; the playhead stays where it is. */
  pick(frame) {
    this.follows = false;
    this.follow.checked = false;
    this.frame = frame;
    this.refresh();
  }

  /** Recall what is at the playhead now. */
  recallPlayhead() {
    this.setFollow(true);
    this.follow.checked = true;
    this.recall();
  }

  again() {
    this.kept.delete(this.keyOf());
    this.recall();
  }

  keyOf() {
    return `${store.document?.node_id} ${this.frame} ${this.mode}`;
  }

  refresh() {
    const takes = store.shots.some((shot) => shot.take);
    this.empty.hidden = takes;
    this.body.hidden = !takes;
    if (!takes) return;
    if (this.follows) this.frame = store.playhead;
    this.frame = Math.max(0, Math.min(store.total - 1, this.frame));
    this.slider.max = store.total - 1;
    this.slider.value = this.frame;
    setText(this.time, format(this.frame, store.rate));
    this.showHeat();
    const here = store.at(this.frame);
    setText(this.where, `${nameOf(here.shot, here.index)}, frame ${here.shot.in + here.offset}`);
    this.modeButtons.forEach((one, index) => one.setAttribute("aria-pressed", MODES[index][0] === this.mode));
    this.showKept();
    if (this.isShown) this.settle();
  }

  showHeat() {
    if (!this.isHeatOld || !this.isShown) return;
    this.isHeatOld = false;
    this.heat.style.backgroundImage = gradientOfFilm("transparent");
  }

  showKept() {
    const known = this.kept.get(this.keyOf());
    this.stage.classList.toggle("waiting", !known);
    if (known) this.showResult(known);
    else if (!this.shown) this.showNothing("");
  }

  /** Recall the frame in question; a wish that is older than the newest is stopped. */
  async recall() {
    const key = this.keyOf();
    if (!store.document || this.kept.has(key) || this.wanted?.key === key) return;
    if (store.engine.state !== "ready") {
      this.showNothing(store.engine.state === "failed" ? "The model could not be loaded." : "The model is still loading.");
      setTimeout(() => this.isShown && this.settle(), 1000);
      return;
    }
    if (!store.at(this.frame)?.shot.take) {
      this.drop();
      this.showNothing("This shot has no take yet: there is nothing to recall.");
      return;
    }
    this.drop();
    const wish = { key, abort: new AbortController(), job: null };
    this.wanted = wish;
    this.busy.hidden = false;
    try {
      const { job } = await api.post(`${store.base}/recall`, { frame: this.frame, mode: this.mode });
      wish.job = job;
      if (!wish.abort.signal.aborted) await this.finish(wish);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      if (this.wanted === wish) this.showNothing(error.message);
    } finally {
      if (this.wanted === wish) {
        this.wanted = null;
        this.busy.hidden = true;
      }
    }
  }

  async finish(wish) {
    const job = await finished(wish.job, { signal: wish.abort.signal });
    if (job.state === "done") {
      this.kept.set(wish.key, job.result);
      if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
      if (wish.key === this.keyOf()) this.showKept();
    } else if (this.wanted === wish) this.showNothing(job.error?.message ?? "The recall was stopped.");
  }

  drop() {
    if (!this.wanted) return;
    this.wanted.abort.abort();
    // A recall that waits becomes the next one on the server; only a running one is in the way.
    if (store.jobs.get(this.wanted.job)?.state === "running") cancel(this.wanted.job);
    this.wanted = null;
    this.busy.hidden = true;
  }

  showNothing(text) {
    this.shown = null;
    this.stage.classList.remove("waiting");
    this.compare.show({ label: "Recalled", note: text }, { label: "Real", note: "" });
    fill(this.source, h("b", {}, SOURCES.none));
    this.showNumbers({ psnr: null, ssim: null, tokens: null });
    setText(this.note, "");
  }

  showResult(result) {
    if (this.shown === result) return;
    this.shown = result;
    const picture = (address, label, note) => (address
      ? { label, element: h("img", { src: address, alt: `${label} frame` }) } : { label, note });
    this.compare.show(
      picture(result.recalled, "Recalled", result.note || "Memory holds no picture of this frame."),
      picture(result.real, "Real", "No real frame to compare with."));
    const how = MODES.find(([mode]) => mode === this.mode)[1];
    fill(this.source, h("b", { class: result.source, "data-source": result.source }, SOURCES[result.source] ?? result.source),
      h("span", { class: "dim small" }, result.source === "none" ? "" : how));
    this.showNumbers(result);
    setText(this.note, result.note ?? "");
    this.dataset.recalled = result.frame ?? this.frame;
  }

  showNumbers({ psnr, ssim, tokens }) {
    const cell = (name, value, title) => h("div", { title }, h("dt", {}, name), h("dd", { "data-number": name }, value));
    const isNumber = (value) => value !== null && value !== undefined;
    fill(this.numbers,
      cell("PSNR", isNumber(psnr) ? `${psnr.toFixed(1)} dB` : "–", "Recalled against real, RGB 8 bit. Higher is closer."),
      cell("SSIM", isNumber(ssim) ? ssim.toFixed(3) : "–", "Likeness of structure, recalled against real. 1 = the same."),
      cell("Tokens", isNumber(tokens) ? tokens.toLocaleString("en") : "–", "Memory tokens that this picture was decoded from."));
  }
}

customElements.define("mnemo-memory", Memory);
