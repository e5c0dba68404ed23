/** The token budget of the film: how much the next shot reads, a slider, and what it costs. */

import * as api from "./api.js";
import { button, h, setText, StudioElement } from "./dom.js";
import { BEST, colourOf, WORST } from "./fidelity.js";
import { finished } from "./jobs.js";
import { plot } from "./plot.js";
import { sheet } from "./style.js";
import { store } from "./store.js";

const styles = sheet(`
:host { height: auto; width: auto; }
.root { height: auto; }
.open { display: flex; align-items: center; gap: 8px; font-size: 12px; color: var(--mn-dim); white-space: nowrap; min-height: 26px; padding: 2px 8px; }
.open .bar { width: 96px; }
[popover] { margin: 0; inset: auto; width: 380px; border: 1px solid var(--mn-line-strong); border-radius: 8px; background: var(--mn-panel); color: var(--mn-text); padding: 14px; box-shadow: 0 16px 48px #0009; }
.inside { display: grid; gap: 10px; font-size: 12.5px; }
.slider { display: grid; grid-template-columns: 1fr 92px; gap: 8px; align-items: center; }
.slider output { font: 600 13px var(--mn-mono); text-align: right; }
canvas { width: 350px; height: 150px; display: block; }
.legend { display: flex; gap: 6px; align-items: center; font-size: 11px; color: var(--mn-dim); }
.legend i { flex: 1; height: 8px; border-radius: 2px; }
@media (max-width: 1160px) { .wide { display: none; } }
`);

class Budget extends StudioElement {
  static topics = ["document", "engine", "project", "theme"];
  static styles = [styles];

  build() {
    this.curve = null;
    this.bar = h("i");
    this.text = h("span", {});
    this.opener = h("button", {
      type: "button", class: "plain open", title: "Memory tokens that the next shot at the end would read, of the most it may read",
      "aria-haspopup": "dialog",
    }, h("span", { class: "wide" }, "Memory"), h("div", { class: "bar" }, this.bar), this.text);
    this.slider = h("input", {
      type: "range", min: 1000, max: 20000, step: 500, "aria-label": "Memory budget in tokens",
      on: { input: () => this.slide(), change: () => this.send() },
    });
    this.value = h("output", {});
    this.effect = h("div", { class: "dim" });
    this.canvas = h("canvas", { role: "img", "aria-label": "Seconds a step and fidelity of recall against memory tokens" });
    this.note = h("div", { class: "dim" });
    this.measure = button("Measure for this model", () => this.run());
    const legend = Array.from({ length: 9 }, (_, at) => WORST + ((BEST - WORST) * at) / 8)
      .map((psnr) => h("i", { style: { background: colourOf(psnr) } }));
    this.panel = h("div", { popover: "auto", role: "dialog", "aria-label": "Memory budget" }, h("div", { class: "inside" },
      h("h3", {}, "Memory budget"), h("div", { class: "slider" }, this.slider, this.value), this.effect, this.canvas, this.note,
      h("div", { class: "row" }, this.measure),
      h("div", { class: "legend", title: "Under each shot: recalled (mean, one step) against real. Hatched: not held." },
        h("span", {}, `Fidelity ${WORST} dB`), ...legend, h("span", {}, `${BEST} dB`))));
    // The browser opens and closes it: a press outside, or on the button again, is told apart there.
    this.opener.popoverTargetElement = this.panel;
    this.panel.addEventListener("toggle", () => this.opened());
    // Keys that are for the slider or close the panel must not reach the film behind it.
    this.panel.addEventListener("keydown", (event) => event.stopPropagation());
    this.root.append(this.opener, this.panel);
  }

  refresh() {
    const { tokens = 0, budget = 0, budget_range: range = [1000, 20000] } = store.document?.memory ?? {};
    this.bar.style.transform = `scaleX(${budget ? Math.min(1, tokens / budget) : 0})`;
    setText(this.text, `${tokens.toLocaleString("en")} of ${budget.toLocaleString("en")} tokens`);
    [this.slider.min, this.slider.max] = range;
    if (!this.slider.matches(":active")) {
      this.slider.value = budget;
      this.slide();
    }
  }

  /** Open or close it, as the key does. */
  open() {
    this.panel.togglePopover();
    if (this.panel.matches(":popover-open")) this.slider.focus();
  }

  opened() {
    if (!this.panel.matches(":popover-open")) return;
    const at = this.opener.getBoundingClientRect();
    this.panel.style.right = `${Math.max(8, innerWidth - at.right)}px`;
    this.panel.style.bottom = `${innerHeight - at.top + 6}px`;
    this.load();
  }

  async load() {
    const reply = await store.ask(() => api.get(`${store.base}/curve`));
    if (!reply) return;
    this.curve = reply.points;
    this.draw();
  }

  slide() {
    const budget = Number(this.slider.value);
    setText(this.value, `${budget.toLocaleString("en")}`);
    const over = store.shots.filter((shot) => shot.reads?.over_budget).length;
    const isNow = budget === store.document?.memory.budget;
    setText(this.effect, !isNow ? "Older shots that are not pinned are left out first." : over
      ? `${over} shots do not read everything before them: the oldest that are not pinned are left out.`
      : "Every shot reads all that stands before it.");
    this.draw();
  }

  send() {
    const tokens = Number(this.slider.value);
    if (tokens !== store.document?.memory.budget) store.edit({ kind: "set_budget", tokens });
  }

  draw() {
    if (!this.panel.matches(":popover-open") || !this.curve) return;
    const at = Number(this.slider.value);
    plot(this.canvas, this.curve, { at, most: Number(this.slider.max) });
    this.canvas.hidden = !this.curve.length;
    const timed = this.curve.filter((point) => point.step_seconds !== null);
    const held = this.curve.filter((point) => point.psnr !== null);
    const step = between(timed, at, "step_seconds");
    const psnr = between(held, at, "psnr");
    setText(this.note, !this.curve.length ? "Not measured for this model on this machine yet."
      : `At ${at.toLocaleString("en")} tokens: ${step === null ? "time not measured" : `${step.toFixed(2)} s a step`}, ${
        psnr === null ? "fidelity not measured (this film has not so much memory)" : `oldest shot recalled at ${psnr.toFixed(1)} dB`}.`);
    setText(this.measure, this.curve.length ? "Measure again" : "Measure for this model");
  }

  async run() {
    this.measure.disabled = true;
    setText(this.note, "Measuring: it waits for shots that are being made…");
    const reply = await store.ask(() => api.post(`${store.base}/curve`));
    const job = reply && await store.ask(() => finished(reply.job));
    this.measure.disabled = false;
    if (job?.state === "failed") store.announce(job.error?.message ?? "The measurement failed.", "bad");
    await this.load();
  }
}

/** Value of a measured line at `tokens`; null outside of what was measured. */
export function between(points, tokens, name) {
  const after = points.findIndex((point) => point.tokens >= tokens);
  if (after < 0) return null;
  if (points[after].tokens === tokens) return points[after][name];
  if (after === 0) return null;
  const [a, b] = [points[after - 1], points[after]];
  return a[name] + ((tokens - a.tokens) / (b.tokens - a.tokens)) * (b[name] - a[name]);
}

customElements.define("mnemo-budget", Budget);
