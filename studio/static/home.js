/** The list of films: make, open, rename, delete, and take a deletion back. */

import * as api from "./api.js";
import { button, fill, h, icon, StudioElement } from "./dom.js";
import { go } from "./route.js";
import { store } from "./store.js";
import { sheet } from "./style.js";
import { ago } from "./timecode.js";

const DEFAULT_NAME = "Untitled film";
const FILM = "M2 3.5h12v9H2zM5 3.5v9M11 3.5v9M2 8h3M11 8h3";

const styles = sheet(`
:host { height: 100%; }
.root { overflow: auto; padding: 36px max(32px, calc(50% - 560px)); }
.top { display: flex; align-items: center; gap: 12px; margin-bottom: 20px; }
.top h1 { font-size: 20px; font-weight: 600; margin: 0; flex: 1; letter-spacing: -.01em; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 16px; list-style: none; margin: 0; padding: 0; }
.card { background: var(--mn-panel); border: 1px solid var(--mn-line); border-radius: 6px; overflow: hidden; position: relative; }
.card:hover { border-color: var(--mn-line-strong); }
.open { all: unset; cursor: pointer; display: block; width: 100%; }
.open:focus-visible { outline: 2px solid var(--mn-focus); outline-offset: -2px; }
.thumb { height: 132px; background: var(--mn-well) center / auto 132px repeat-x; background-position: left; display: grid; place-items: center; color: var(--mn-faint); }
.facts { padding: 10px 12px 6px; display: grid; gap: 2px; }
.facts b { font-weight: 600; }
.tools { display: flex; gap: 4px; padding: 0 8px 8px; }
.tools button { min-height: 26px; font-size: 12px; color: var(--mn-dim); padding: 2px 8px; }
.rename { margin: 10px 12px 8px; width: calc(100% - 24px); }
.none { display: grid; justify-items: center; gap: 12px; text-align: center; margin: 9vh auto 0; max-width: 440px; }
.none .mark { color: var(--mn-accent); }
.none h1 { font-size: 22px; margin: 8px 0 0; font-weight: 600; letter-spacing: -.01em; }
.none p { color: var(--mn-dim); font-size: 14px; line-height: 1.6; }
.none button { min-height: 36px; padding: 6px 22px; font-size: 14px; }
.undone { display: flex; align-items: center; gap: 12px; margin-bottom: 16px; padding: 8px 12px; background: var(--mn-raised); border-radius: 6px; }
`);

class Home extends StudioElement {
  static topics = ["project"];
  static styles = [styles];

  build() {
    this.projects = null;
    this.deleted = null;
    this.renaming = null;
  }

  refresh() {
    if (!store.projectId) this.load();
  }

  async load() {
    const reply = await store.ask(() => api.get("/api/projects"));
    if (!reply) return;
    this.projects = reply.projects;
    // Drawing again would take the field away from under the hands that type a name in it.
    if (this.renaming === null) this.draw();
  }

  draw() {
    const undone = this.deleted && h("div", { class: "undone" },
      h("span", { class: "grow clip" }, `“${this.deleted.name}” was deleted.`),
      button("Undo", () => this.restore()));
    if (!this.projects.length) {
      fill(this.root, undone, this.empty());
      return;
    }
    fill(this.root, undone,
      h("div", { class: "top" }, h("h1", {}, "Films"),
        button("New film", () => this.create(), { class: "primary" })),
      h("ul", { class: "cards" }, ...this.projects.map((project) => this.card(project))));
    const field = this.root.querySelector(".rename");
    field?.focus();
    field?.select();
  }

  empty() {
    const mark = h("span", { class: "mark" }, icon(FILM, 44));
    return h("div", { class: "none" }, mark, h("h1", {}, "Make your first film"),
      h("p", {}, "Write a storyboard and generate it shot by shot. Every shot remembers what came "
        + "before it, and you can look into that memory at any frame."),
      button("New film", () => this.create(), { class: "primary" }));
  }

  card(project) {
    const open = project.damaged ? null : () => go(project.id);
    const thumb = h("div", { class: "thumb" }, project.strip ? "" : icon(FILM, 28));
    if (project.strip) thumb.style.backgroundImage = `url("${encodeURI(project.strip)}")`;
    const name = this.renaming === project.id ? this.renameField(project)
      : h("div", { class: "facts" }, h("b", { class: "clip", title: project.name }, project.name),
        h("span", { class: "dim small" }, this.facts(project)));
    const tools = h("div", { class: "tools" },
      button("Rename", () => this.rename(project), { class: "plain" }),
      button("Delete", () => this.removeProject(project), { class: "plain danger" }));
    if (this.renaming === project.id) return h("li", { class: "card" }, thumb, name, tools);
    return h("li", { class: "card" }, h("button", {
      class: "open", type: "button", "aria-label": `Open ${project.name}`,
      disabled: Boolean(project.damaged), on: { click: open ?? (() => {}) },
    }, thumb, name), tools);
  }

  facts(project) {
    if (project.damaged) return `Cannot be opened: ${project.damaged}`;
    const shots = project.shots === 1 ? "1 shot" : `${project.shots} shots`;
    return `${shots} · ${project.frames} frames · ${ago(project.updated_at)}`;
  }

  renameField(project) {
    const finish = async (save) => {
      if (this.renaming !== project.id) return;
      this.renaming = null;
      const name = field.value.trim();
      if (save && name && name !== project.name) {
        await store.ask(() => api.patch(`/api/projects/${encodeURIComponent(project.id)}`, { name }));
      }
      await this.load();
    };
    const field = h("input", {
      class: "rename", value: project.name, maxlength: 200, "aria-label": "Name of the film",
      on: {
        blur: () => finish(true),
        keydown: (event) => {
          if (event.key === "Enter") finish(true);
          if (event.key === "Escape") finish(false);
        },
      },
    });
    return field;
  }

  rename(project) {
    this.renaming = project.id;
    this.draw();
  }

  async create() {
    const made = await store.ask(() => api.post("/api/projects", { name: this.freeName() }));
    if (made) await go(made.id);
  }

  freeName() {
    const taken = new Set(this.projects.map((project) => project.name));
    let name = DEFAULT_NAME;
    for (let number = 2; taken.has(name); number += 1) name = `${DEFAULT_NAME} ${number}`;
    return name;
  }

  async removeProject(project) {
    const path = `/api/projects/${encodeURIComponent(project.id)}`;
    if (!(await store.ask(() => api.remove(path)))) return;
    this.deleted = project;
    await this.load();
  }

  async restore() {
    const path = `/api/projects/${encodeURIComponent(this.deleted.id)}/restore`;
    if (!(await store.ask(() => api.post(path)))) return;
    this.deleted = null;
    await this.load();
  }
}

customElements.define("mnemo-home", Home);
