/** The same shot under two memory systems: same prompt and seed, two takes side by side. */

import * as api from "./api.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { finished } from "./jobs.js";
import { showFrame } from "./playback.js";
import { percent } from "./stale.js";
import { sheet } from "./style.js";
import { store } from "./store.js";

const styles = sheet(`
:host { height: auto; }
.root { height: auto; display: grid; gap: 10px; border-top: 1px solid var(--mn-line); padding-top: 14px; }
.pair { display: grid; gap: 8px; }
select { width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: 12px; }
th { text-align: left; font-weight: 400; color: var(--mn-dim); }
td { font-family: var(--mn-mono); text-align: right; }
th, td { padding: 3px 4px; border-top: 1px solid var(--mn-line); }
thead td { font-family: inherit; font-weight: 600; border: 0; }
input[type="range"] { width: 100%; }
`);

class Systems extends StudioElement {
  static topics = ["document", "selection", "engine", "project", "focus"];
  static styles = [styles];

  build() {
    this.results = null;
    this.about = h("p", { class: "dim small" });
    this.selects = ["First", "Second"].map((name) => h("select", { "aria-label": `${name} memory system` }));
    this.go = button("Compare", () => this.start(), { class: "primary" });
    this.compare = h("mnemo-compare", { large: true });
    this.scrub = h("input", { type: "range", min: 0, value: 0, "aria-label": "Frame of both takes", on: { input: () => this.showFrames() } });
    this.table = h("table", {});
    this.found = h("div", { hidden: true, style: { display: "grid", gap: "8px" } }, this.compare, this.scrub, this.table);
    this.found.hidden = true;
    this.videos = [0, 1].map(() => h("video", { playsinline: true }));
    for (const video of this.videos) video.muted = true;
    this.root.append(h("h3", {}, "Two memory systems"), this.about, h("div", { class: "pair" }, ...this.selects),
      h("div", { class: "row" }, this.go), this.found);
  }

  refresh() {
    const shot = store.focus;
    const isMade = shot && shot.take?.kind !== "footage" && shot.prompt.trim();
    this.hidden = !isMade;
    if (!isMade) return;
    setText(this.about, `${store.nameOf(shot.shot_id)} is made twice with the same prompt and seed. Its pick stays; both takes are kept.`);
    const systems = [...(store.engine.info?.systems ?? []), { name: "none", title: "No memory" }];
    const key = systems.map(({ name }) => name).join(" ");
    if (this.dataset.systems !== key) {
      this.dataset.systems = key;
      this.selects.forEach((select, at) => {
        fill(select, systems.map(({ name, title }) => h("option", { value: name }, title || name)));
        select.value = systems[at ? systems.length - 1 : 0].name;
      });
    }
    this.go.disabled = Boolean(shot.locked) || Boolean(this.isRunning) || store.engine.state !== "ready";
    this.found.style.display = this.results?.shot === shot.shot_id ? "grid" : "none";
  }

  async start() {
    const shot = store.focus;
    const systems = this.selects.map((select) => select.value);
    if (systems[0] === systems[1]) {
      store.announce("Choose two different memory systems.", "bad");
      return;
    }
    this.isRunning = true;
    setText(this.go, "Making two takes…");
    this.refresh();
    await store.idle();
    const found = await store.ask(async () => {
      const { jobs } = await api.post(`${store.base}/systems`, { shot_id: shot.shot_id, systems });
      const done = [];
      for (const job of jobs) done.push(await finished(job));
      const failed = done.find((job) => job.state !== "done");
      if (failed) throw new api.Refused(0, { message: failed.error?.message ?? "One of the two takes was stopped." });
      const ids = done.map((job) => job.result.reused ?? job.result.take_ids[0]);
      return Promise.all(ids.map((id) => api.get(`${store.base}/shots/${encodeURIComponent(shot.shot_id)}/takes/${encodeURIComponent(id)}/grade`)));
    });
    this.isRunning = false;
    setText(this.go, "Compare");
    if (found) this.show(shot.shot_id, systems, found);
    this.refresh();
    await store.load();
  }

  show(shotId, systems, takes) {
    const titles = systems.map((name) => this.selects[0].querySelector(`option[value="${CSS.escape(name)}"]`)?.textContent ?? name);
    this.results = { shot: shotId, takes };
    this.found.hidden = false;
    this.compare.show({ label: titles[0], element: this.videos[0] }, { label: titles[1], element: this.videos[1] });
    this.scrub.max = Math.min(...takes.map(({ take }) => take.num_frames)) - 1;
    const row = (name, title, value) => h("tr", { title }, h("th", { scope: "row" }, name), ...takes.map((one) => h("td", {}, value(one))));
    const number = (value, unit, digits = 1) => (value === null || value === undefined ? "–" : `${value.toFixed(digits)}${unit}`);
    fill(this.table, h("thead", {}, h("tr", {}, h("th", {}), ...titles.map((title) => h("td", {}, title)))), h("tbody", {},
      row("Tokens read", "Memory tokens in front of the section", ({ take }) => (take.memory_tokens ?? 0).toLocaleString("en")),
      row("Seconds", "Wall seconds of the whole take", ({ take }) => number(take.seconds.total, " s")),
      row("One step", "Median of one denoising step", ({ take }) => number(take.seconds.step, " s", 2)),
      row("Memory of the past", "Mean fidelity of what this system holds of the shots before", ({ fidelity }) => number(fidelity, " dB")),
      row("Grade if picked", "How stale the shot would be with this take and its own system", ({ grade }) => percent(grade)),
      h("tr", {}, h("th", {}), ...takes.map(({ take }, at) => h("td", {},
        button("Use", () => this.use(shotId, systems[at], take), { title: "Show this take, and let the shot use this memory system" }))))));
    this.showFrames();
  }

  use(shotId, system, take) {
    const shot = store.shots[store.indexOf(shotId)];
    if (!shot) return;
    if (shot.memory.system !== system) store.edit({ kind: "set", shot_id: shotId, fields: { memory_system: system } });
    store.edit({ kind: "pick_take", shot_id: shotId, take_id: take.take_id });
  }

  async showFrames() {
    if (!this.results || this.seeking) return;
    this.seeking = true;
    try {
      const frame = Number(this.scrub.value);
      const { takes } = this.results;
      await Promise.all(takes.map(({ take }, at) => showFrame(this.videos[at], take.media, frame, store.rate)));
      if (frame !== Number(this.scrub.value)) setTimeout(() => this.showFrames());
    } catch (error) {
      store.announce(error.message, "bad");
    } finally {
      this.seeking = false;
    }
  }
}

customElements.define("mnemo-systems", Systems);
