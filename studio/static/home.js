/** The list of films: make, find, open, rename, copy, delete, take a deletion back; drop files on it. */

import * as api from "./api.js";
import { bundleLink, chooseBundle, isBundle, openBundle } from "./bundles.js";
import { button, fill, FILM, h, icon, setText, StudioElement } from "./dom.js";
import { importFootage, isVideo } from "./footage.js";
import { ORDERS, listed } from "./films.js";
import { go } from "./route.js";
import "./samples.js";
import { store } from "./store.js";
import { openStoryboard } from "./storyboard.js";
import { sheet } from "./style.js";
import { ago, duration, seconds } from "./timecode.js";

const DEFAULT_NAME = "Untitled film";
// With this many films at once on screen nobody needs to search.
const MANY = 5;

const styles = sheet(`
:host { height: 100%; }
.root { overflow: auto; padding: 32px max(32px, calc(50% - 560px)); display: grid; gap: 20px; align-content: start; }
.root.dropping { box-shadow: inset 0 0 0 3px var(--mn-accent); }
.top { display: flex; align-items: center; gap: 12px; flex-wrap: wrap; }
.top h1 { font-size: 20px; font-weight: 600; margin: 0; flex: 1; letter-spacing: -.01em; }
.top input { width: 210px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 16px; list-style: none; margin: 0; padding: 0; }
.card { background: var(--mn-panel); border: 1px solid var(--mn-line); border-radius: 6px; overflow: hidden; position: relative; }
.card:hover { border-color: var(--mn-line-strong); }
.open { all: unset; cursor: pointer; display: block; width: 100%; }
.open:focus-visible { outline: 2px solid var(--mn-focus); outline-offset: -2px; }
.open:disabled { cursor: default; }
.card .open:is(:hover, :active) { background: none; }
.thumb { height: 132px; background: var(--mn-well) 0 / auto 132px repeat-x; display: grid; place-items: center; color: var(--mn-faint); }
.facts { padding: 10px 12px 6px; display: grid; gap: 2px; }
.facts b { font-weight: 600; }
.facts .why { white-space: normal; overflow-wrap: anywhere; }
.tools { display: flex; flex-wrap: wrap; padding: 0 6px 8px; }
.tools button { min-height: 26px; font-size: 12px; color: var(--mn-dim); padding: 2px 6px; }
.save { font-size: 12px; color: var(--mn-dim); padding: 2px 6px; align-self: center; text-decoration: none; border-radius: 4px; }
.save:hover, .save:focus-visible { color: var(--mn-text); background: var(--mn-raised); }
.rename { margin: 10px 12px 8px; width: calc(100% - 24px); }
.begin { display: grid; gap: 10px; max-width: 940px; }
.begin h2 { font-size: 14px; }
.none { display: grid; justify-items: center; gap: 12px; text-align: center; margin: 2vh auto 0; max-width: 460px; }
.none .mark { color: var(--mn-accent); }
.none h1 { font-size: 22px; margin: 4px 0 0; font-weight: 600; letter-spacing: -.01em; }
.none p { color: var(--mn-dim); font-size: 14px; line-height: 1.6; }
.none .row button { min-height: 36px; padding: 6px 18px; font-size: 14px; }
.none + .begin { margin: 12px auto 0; width: 100%; }
.undone { display: flex; align-items: center; gap: 12px; padding: 8px 12px; background: var(--mn-raised); border-radius: 6px; }
.deleted ul { list-style: none; margin: 8px 0 0; padding: 0; display: grid; gap: 4px; max-width: 560px; }
.deleted li { display: flex; gap: 12px; align-items: center; padding: 4px 10px; background: var(--mn-panel); border-radius: 4px; }
summary { cursor: pointer; color: var(--mn-dim); }
summary:hover { color: var(--mn-text); }
`);

const pathOf = (project, verb = "") => `/api/projects/${encodeURIComponent(project.id)}${verb}`;

class Home extends StudioElement {
  static topics = ["project"];
  static styles = [styles];

  build() {
    this.projects = null;
    this.deleted = [];
    this.undoable = null;
    this.renaming = null;
    this.order = ORDERS[0].id;
    this.find = h("input", {
      type: "search", placeholder: "Find a film", "aria-label": "Find a film", on: { input: () => this.drawCards() },
    });
    this.sort = h("select", { "aria-label": "Order of the films", on: { change: () => this.reorder() } },
      ...ORDERS.map(({ id, title }) => h("option", { value: id }, title)));
    this.cards = h("ul", { class: "cards", "aria-label": "Films" });
    this.nothing = h("p", { class: "dim", role: "status" });
    this.samples = h("section", { class: "begin" }, h("h2", {}, "Films to begin with"), document.createElement("mnemo-samples"));
    this.root.addEventListener("dragover", (event) => this.over(event));
    this.root.addEventListener("dragleave", () => this.root.classList.remove("dropping"));
    this.root.addEventListener("drop", (event) => this.drop(event));
  }

  refresh() {
    if (!store.projectId) this.load();
  }

  async load() {
    const reply = await store.ask(() => api.get("/api/projects"));
    if (!reply) return;
    this.projects = reply.projects;
    this.deleted = reply.deleted;
    // Drawing again would take the field away from under the hands that type a name in it.
    if (this.renaming === null) this.draw();
  }

  draw() {
    const undone = this.undoable && h("div", { class: "undone", role: "status" },
      h("span", { class: "grow clip" }, `“${this.undoable.name}” was deleted.`),
      button("Undo", () => this.restore(this.undoable)));
    const isMany = this.projects.length >= MANY;
    for (const tool of [this.find, this.sort]) tool.hidden = !isMany;
    if (!isMany) this.find.value = "";
    if (!this.projects.length) fill(this.root, undone, this.empty(), this.samples, this.trash());
    else {
      fill(this.root, undone,
        h("div", { class: "top" }, h("h1", {}, "Films"), this.find, this.sort,
          button("Open a film file…", () => chooseBundle(() => this.load())),
          button("From a storyboard…", () => this.fromStoryboard()),
          button("New film", () => this.create(), { class: "primary" })),
        this.nothing, this.cards, this.samples, this.trash());
      this.drawCards();
    }
  }

  drawCards() {
    const shown = listed(this.projects, this.find.value, this.order);
    setText(this.nothing, shown.length ? "" : `No film is called “${this.find.value.trim()}”.`);
    this.nothing.hidden = shown.length > 0;
    fill(this.cards, shown.map((project) => this.card(project)));
    const field = this.cards.querySelector(".rename");
    field?.focus();
    field?.select();
  }

  reorder() {
    this.order = this.sort.value;
    this.drawCards();
  }

  empty() {
    const mark = h("span", { class: "mark" }, icon(FILM, 44));
    return h("div", { class: "none" }, mark, h("h1", {}, "Make your first film"),
      h("p", {}, "Write a storyboard and generate it shot by shot. Every shot remembers what came "
        + "before it, and you can look into that memory at any frame."),
      h("div", { class: "row" }, button("New film", () => this.create(), { class: "primary" }),
        button("From a storyboard…", () => this.fromStoryboard()),
        button("Open a film file…", () => chooseBundle(() => this.load()))),
      h("p", { class: "small" }, "Or drop a storyboard or a video here, or begin with one of these:"));
  }

  trash() {
    if (!this.deleted.length) return null;
    const count = this.deleted.length === 1 ? "1 deleted film" : `${this.deleted.length} deleted films`;
    return h("details", { class: "deleted", open: this.isTrashOpen, on: { toggle: (event) => { this.isTrashOpen = event.target.open; } } },
      h("summary", {}, count),
      h("ul", {}, ...this.deleted.map((project) => h("li", {}, h("span", { class: "grow clip" }, project.name),
        h("span", { class: "dim small" }, `deleted ${ago(project.deleted_at)}`),
        button("Restore", () => this.restore(project), { "aria-label": `Restore ${project.name}` })))));
  }

  card(project) {
    const thumb = h("div", { class: "thumb" }, project.strip ? "" : icon(FILM, 28));
    if (project.strip) thumb.style.backgroundImage = `url("${encodeURI(project.strip)}")`;
    if (this.renaming === project.id) return h("li", { class: "card" }, thumb, this.renameField(project));
    const name = h("div", { class: "facts" }, h("b", { class: "clip", title: project.name }, project.name),
      h("span", { class: project.damaged ? "bad small why" : "dim small" }, this.factsOf(project)));
    const tool = (label, action, style = "plain") => button(label, action, { class: style, "aria-label": `${label} ${project.name}` });
    const tools = h("div", { class: "tools" }, tool("Rename", () => this.rename(project)),
      project.damaged ? null : tool("Duplicate", () => this.duplicate(project)),
      project.damaged ? null : bundleLink(project),
      tool("Delete", () => this.removeProject(project), "plain danger"));
    return h("li", { class: "card" }, h("button", {
      class: "open", type: "button", "aria-label": `Open ${project.name}`, disabled: Boolean(project.damaged),
      on: { click: () => go(project.id) },
    }, thumb, name), tools);
  }

  factsOf(project) {
    if (project.damaged) return `Cannot be opened: ${project.damaged}`;
    const changed = ago(project.updated_at);
    if (!project.shots) return `No shots yet · ${changed}`;
    const shots = project.shots === 1 ? "1 shot" : `${project.shots} shots`;
    return `${shots} · ${duration(seconds(project.frames, project.rate))} · ${changed}`;
  }

  renameField(project) {
    const finish = async (save) => {
      if (this.renaming !== project.id) return;
      this.renaming = null;
      const name = field.value.trim();
      if (save && name && name !== project.name) await store.ask(() => api.patch(pathOf(project), { name }));
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
    this.drawCards();
  }

  /** Make a film and open it; null where it was refused. */
  async create(name = this.freeName(DEFAULT_NAME)) {
    const made = await store.ask(() => api.post("/api/projects", { name }));
    if (made) await go(made.id);
    return made;
  }

  async fromStoryboard(text = "") {
    if (await this.create()) openStoryboard({ text });
  }

  freeName(wanted) {
    const taken = new Set((this.projects ?? []).map((project) => project.name));
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = `${wanted} ${number}`;
    return name;
  }

  async duplicate(project) {
    const made = await store.ask(() => api.post(pathOf(project, "/duplicate")));
    if (made) store.announce(`Copied to “${made.name}”`);
    await this.load();
  }

  async removeProject(project) {
    if (!(await store.ask(() => api.remove(pathOf(project))))) return;
    this.undoable = project;
    await this.load();
  }

  async restore(project) {
    if (!(await store.ask(() => api.post(pathOf(project, "/restore"))))) return;
    if (this.undoable?.id === project.id) this.undoable = null;
    await this.load();
  }

  over(event) {
    const types = event.dataTransfer?.types ?? [];
    if (!types.includes("Files") && !types.includes("text/plain")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.root.classList.add("dropping");
  }

  /** A film file is opened, a video becomes a film of its own; anything else is read as a storyboard. */
  async drop(event) {
    event.preventDefault();
    this.root.classList.remove("dropping");
    const files = [...event.dataTransfer.files];
    const text = event.dataTransfer.getData("text/plain");
    const videos = files.filter(isVideo);
    const bundles = files.filter(isBundle);
    for (const file of bundles) await openBundle(file, () => this.load());
    if (bundles.length) return;
    if (videos.length) {
      if (!(await this.create(this.freeName(stem(videos[0].name))))) return;
      for (const video of videos) await importFootage(video);
    } else if (files.length) {
      if (await this.create(this.freeName(stem(files[0].name)))) openStoryboard({ file: files[0] });
    } else if (text.trim()) await this.fromStoryboard(text);
  }
}

const stem = (name) => name.replace(/\.[^.]*$/, "").slice(0, 200).trim() || DEFAULT_NAME;

customElements.define("mnemo-home", Home);
