/** Presets: named sets of steps, guidance and memory, kept for every film. */

import * as api from "./api.js";
import { button, fill, h, StudioElement } from "./dom.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

const styles = sheet(`
.root { display: grid; gap: 6px; }
select { width: 100%; }
`);

const path = (name) => `/api/presets/${encodeURIComponent(name)}`;

/** The fields of a shot that a preset holds. */
export function fieldsOf(shot) {
  return {
    num_steps: shot.params.num_steps, guidance: shot.params.guidance,
    strength: shot.memory.strength, memory_system: shot.memory.system,
  };
}

class Presets extends StudioElement {
  static topics = ["document", "selection", "presets", "project"];
  static styles = [styles];

  build() {
    this.presets = null;
    this.choice = h("select", { "aria-label": "Preset", on: { change: () => this.use(this.choice.value) } });
    this.name = h("input", {
      "aria-label": "Name of the preset", placeholder: "Name", maxlength: 80, class: "grow",
      on: { keydown: (event) => {
        if (event.key === "Enter") this.keep();
      } },
    });
    this.naming = h("div", { class: "row", hidden: true }, this.name, button("Save", () => this.keep(), { class: "primary" }));
    this.remove = button("Remove", () => this.forget(), { class: "plain" });
    this.root.append(h("div", { class: "row" }, this.choice,
      button("Save as…", () => this.startNaming(), { title: "Keep this shot's steps, guidance and memory under a name" }),
      this.remove), this.naming);
    store.addEventListener("presets", ({ detail }) => {
      if (detail) this.presets = detail;
    });
  }

  async refresh() {
    const shot = store.focus;
    if (!shot || !this.isShown) return;
    if (!this.presets) {
      this.presets = [];
      const reply = await store.ask(() => api.get("/api/presets"));
      this.presets = reply?.presets ?? [];
    }
    const now = JSON.stringify(fieldsOf(shot));
    const used = this.presets.find(({ name, ...fields }) => JSON.stringify(fieldsOf({
      params: fields, memory: { strength: fields.strength, system: fields.memory_system },
    })) === now);
    fill(this.choice, h("option", { value: "" }, this.presets.length ? "Preset…" : "No presets yet"),
      this.presets.map(({ name }) => h("option", { value: name }, name)));
    this.choice.value = used?.name ?? "";
    this.choice.disabled = Boolean(shot.locked) || !this.presets.length;
    this.remove.hidden = !used;
  }

  use(name) {
    const shot = store.focus;
    const preset = this.presets.find((one) => one.name === name);
    if (!shot || !preset) return;
    const { name: _, ...fields } = preset;
    store.edit({ kind: "set", shot_id: shot.shot_id, fields });
  }

  startNaming() {
    this.naming.hidden = !this.naming.hidden;
    this.name.value = this.choice.value;
    if (!this.naming.hidden) this.name.focus();
  }

  async keep() {
    const name = this.name.value.trim();
    if (!name || !store.focus) return;
    const reply = await store.ask(() => api.put(path(name), fieldsOf(store.focus)));
    if (!reply) return;
    this.naming.hidden = true;
    this.presets = reply.presets;
    store.announce(`Preset ${name} kept`);
    this.refresh();
  }

  async forget() {
    const reply = await store.ask(() => api.remove(path(this.choice.value)));
    if (reply) this.presets = reply.presets;
    this.refresh();
  }
}

customElements.define("mnemo-presets", Presets);
