/** The timeline: the cut on screen, with its memory under it. Draws what is in view, no more. */

import { run } from "./commands.js";
import { h, icon, setText, StudioElement } from "./dom.js";
import { keyOf } from "./keymap.js";
import { fitScale } from "./model.js";
import { store } from "./store.js";
import { Gestures } from "./timeline_drag.js";
import { paint, palette, Strips } from "./timeline_paint.js";
import { ShotElements } from "./timeline_shots.js";
import { styles } from "./timeline_style.js";
import { format, parse } from "./timecode.js";
import * as view from "./view.js";

const LARGEST = 64;
const SMALLEST = 0.02;
const AFTER_END = 240;

class Timeline extends StudioElement {
  static topics = ["document", "selection", "playhead", "jobs", "preview", "range", "engine"];
  static styles = [styles];

  scale = 8;
  isDragging = false;

  build() {
    this.buildTools();
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.lane = h("div", { class: "lane" });
    this.head = h("div", { class: "playhead" });
    this.insertion = h("div", { class: "insertion", hidden: true });
    this.lengthNote = h("div", { class: "length", hidden: true });
    this.blank = h("div", { class: "blank", hidden: true }, "The shots of your film will stand here.");
    this.viewport = h("div", {
      class: "viewport", tabindex: 0, role: "listbox", "aria-label": "Shots",
      "aria-multiselectable": "true", "aria-orientation": "horizontal",
    }, this.canvas, this.lane, this.head, this.insertion, this.lengthNote);
    const stage = h("div", { style: { position: "relative" } }, this.viewport, this.blank);
    this.root.append(this.tools, stage);
    this.strips = new Strips(() => this.schedule());
    this.shots = new ShotElements(this.lane);
    this.gestures = new Gestures(this, this.viewport);
    this.colours = palette(this);
    this.listen();
  }

  buildTools() {
    const tool = (command, label, content, extra = {}) => h("button", {
      type: "button", class: "plain", title: `${label} (${keyOf(command)})`, "aria-label": label,
      on: { click: () => run(command) }, ...extra,
    }, content);
    this.timecode = h("input", {
      class: "timecode", "aria-label": "Playhead; type a time such as 1:05 or +12", spellcheck: "false",
      on: { change: () => this.typed(), focus: () => this.timecode.select() },
    });
    this.snap = tool("snapping", "Snapping", "Snap");
    this.loop = tool("loop", "Loop", "Loop");
    this.count = h("span", { class: "dim small" });
    this.bar = h("i");
    this.budgetText = h("span", {});
    this.budget = h("div", { class: "budget" }, h("span", { class: "wide" }, "Memory"),
      h("div", { class: "bar" }, this.bar), this.budgetText);
    const line = () => h("span", { class: "line" });
    this.tools = h("div", { class: "tools", role: "toolbar", "aria-label": "Timeline" },
      this.timecode, this.count, line(),
      tool("split", "Split at the playhead", "Split"), tool("duplicate", "Duplicate", "Duplicate"),
      tool("remove", "Delete", "Delete"), line(), this.snap, this.loop, h("span", { class: "grow" }),
      this.budget, line(),
      tool("zoomOut", "Zoom out", icon("M3 8h10"), { class: "plain icon" }),
      tool("zoomIn", "Zoom in", icon("M3 8h10M8 3v10"), { class: "plain icon" }),
      tool("fit", "Show the whole film", "Fit"));
  }

  listen() {
    const { viewport } = this;
    viewport.addEventListener("scroll", () => {
      this.schedule();
      this.keep();
    }, { passive: true });
    viewport.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    viewport.addEventListener("dragover", (event) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    });
    new ResizeObserver(() => this.schedule()).observe(viewport);
    store.addEventListener("project", () => {
      this.restored = null;
    });
    store.addEventListener("playhead", () => this.follow());
    this.addEventListener("recall-frame", () => run("recall"));
    this.addEventListener("edit-prompt", () => run("editPrompt"));
  }

  wheel(event) {
    event.preventDefault();
    if (event.ctrlKey || event.altKey) {
      this.zoom(Math.exp(-Math.sign(event.deltaY) * Math.min(60, Math.abs(event.deltaY)) / 240), event.clientX);
    } else this.viewport.scrollLeft += event.deltaY + event.deltaX;
  }

  typed() {
    const frame = parse(this.timecode.value, store.rate, store.playhead);
    if (frame === null) store.announce(`“${this.timecode.value}” is not a time. Type 00:00:02:00, 1:05 or +12.`, "bad");
    else store.seek(frame);
    this.timecode.blur();
    this.schedule();
  }

  /** Frame of the cut, with its fraction, at a place of the page. */
  frameAt(clientX) {
    const { left } = this.viewport.getBoundingClientRect();
    return (clientX - left + this.viewport.scrollLeft) / this.scale;
  }

  /** Change the scale, keeping the frame under `clientX` (else the playhead) where it is. */
  zoom(factor, clientX) {
    const { left, width } = this.viewport.getBoundingClientRect();
    const head = store.playhead * this.scale - this.viewport.scrollLeft;
    const anchor = clientX === undefined ? Math.max(0, Math.min(width, head)) : clientX - left;
    const frame = (this.viewport.scrollLeft + anchor) / this.scale;
    this.scale = Math.max(SMALLEST, Math.min(LARGEST, this.scale * factor));
    this.resizeLane();
    this.viewport.scrollLeft = frame * this.scale - anchor;
    this.schedule();
    this.keep();
  }

  /** Show the whole cut. */
  fit() {
    this.scale = fitScale(store.total, this.viewport.clientWidth);
    this.resizeLane();
    this.viewport.scrollLeft = 0;
    this.schedule();
    this.keep();
  }

  keep() {
    if (this.restored) view.keep(store, { scale: this.scale, scroll: this.viewport.scrollLeft });
  }

  /** Bring the playhead into view when it was moved from elsewhere. */
  follow() {
    if (this.isDragging) return;
    const x = store.playhead * this.scale;
    const { scrollLeft, clientWidth } = this.viewport;
    if (x >= scrollLeft && x <= scrollLeft + clientWidth - 24) return;
    this.viewport.scrollLeft = x - clientWidth * 0.15;
  }

  /** Scroll while a pointer drags beyond an edge. */
  scrollAtEdge(clientX, edge) {
    const { left, right } = this.viewport.getBoundingClientRect();
    if (clientX > right - edge) this.viewport.scrollLeft += 18;
    if (clientX < left + edge) this.viewport.scrollLeft -= 18;
  }

  showInsertion(frame) {
    this.insertion.hidden = frame === null;
    if (frame !== null) this.insertion.style.left = `${frame * this.scale - 2}px`;
  }

  /** While trimming: the new length, how much it changed, and whether no handle is left. */
  showLength(start, length = 0, change = 0, isAtEnd = false) {
    this.lengthNote.hidden = start === null;
    if (start === null) return;
    const sign = change > 0 ? "+" : "";
    setText(this.lengthNote, `${length} frames (${sign}${change})${isAtEnd ? " · end of the take" : ""}`);
    this.lengthNote.style.left = `${start * this.scale + 8}px`;
  }

  resizeLane() {
    const width = Math.max(this.viewport.clientWidth, store.total * this.scale + AFTER_END);
    // The lane is as wide as the film; short of the view there is nothing to scroll to.
    const isWhole = store.total * this.scale <= this.viewport.clientWidth;
    this.lane.style.width = `${isWhole ? this.viewport.clientWidth : width}px`;
  }

  refresh() {
    if (!this.viewport.clientWidth) return;
    const { document: cut } = store;
    this.blank.hidden = !cut || cut.shots.length > 0;
    if (cut && this.restored !== store.projectId && cut.shots.length) this.restore();
    this.resizeLane();
    const { scrollLeft: left, clientWidth: width } = this.viewport;
    const { scale, strips, colours } = this;
    const budget = Math.max(1, cut?.memory.budget ?? 1);
    paint(this.canvas, {
      left, width, scale, strips, colours, budget, rate: store.rate, range: store.range,
      total: store.total, shots: store.shots, starts: store.starts, ...this.reading(),
    });
    this.shots.update({ left, width, scale });
    this.showHead();
    this.showTools(cut);
    const { focus } = store;
    if (focus) this.viewport.setAttribute("aria-activedescendant", `shot-${focus.shot_id}`);
    const aspect = cut ? cut.project.width / cut.project.height : 1;
    this.lane.style.setProperty("--aspect", aspect);
  }

  restore() {
    const first = this.restored === null || this.restored === undefined;
    this.restored = store.projectId;
    const scale = view.recall(store, "scale", 0);
    if (!first || !scale) {
      this.scale = fitScale(store.total, this.viewport.clientWidth);
      return;
    }
    const scroll = view.recall(store, "scroll", 0);
    this.scale = scale;
    this.resizeLane();
    this.viewport.scrollLeft = scroll;
  }

  /** What the one chosen shot was fed with, take by take, and which shots it forgets. */
  reading() {
    const [only] = store.selection.size === 1 ? [...store.selection] : [];
    const shot = store.shots[store.indexOf(only)];
    const sources = shot?.take?.sources ?? [];
    return {
      weights: new Map(sources.map((source) => [source.take_id, source.weight])),
      forgotten: new Set(shot?.memory?.forgotten ?? []),
    };
  }

  showHead() {
    this.head.hidden = !store.shots.length;
    this.head.style.transform = `translateX(${store.playhead * this.scale}px)`;
  }

  showTools(cut) {
    const isTyping = this.shadowRoot.activeElement === this.timecode;
    if (!isTyping) this.timecode.value = format(store.playhead, store.rate);
    const chosen = store.selection.size > 1 ? ` · ${store.selection.size} selected` : "";
    setText(this.count, cut ? `/ ${format(store.total, store.rate)}${chosen}` : "");
    this.snap.setAttribute("aria-pressed", store.snapping);
    this.loop.setAttribute("aria-pressed", store.loop);
    const { tokens = 0, budget = 0 } = cut?.memory ?? {};
    this.bar.style.transform = `scaleX(${budget ? Math.min(1, tokens / budget) : 0})`;
    setText(this.budgetText, `${tokens.toLocaleString("en")} of ${budget.toLocaleString("en")} tokens`);
    this.budget.title = "Memory tokens that the next shot at the end would read, and the most it may read";
  }
}

customElements.define("mnemo-timeline", Timeline);
