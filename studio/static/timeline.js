/** The timeline: the cut on screen, with its memory under it. Draws what is in view, no more. */

import { run, titled } from "./commands.js";
import { h, icon, setText, StudioElement } from "./dom.js";
import { readingOf } from "./memory_lane.js";
import { fitScale } from "./model.js";
import { notes } from "./notes_state.js";
import { store } from "./store.js";
import { Gestures } from "./timeline_drag.js";
import { Marks } from "./timeline_marks.js";
import { isByKey, markerLines, Menu, menuStyles, placeLines, shotLines } from "./timeline_menu.js";
import { paint, palette, ROWS, Strips } from "./timeline_paint.js";
import { Plus } from "./timeline_plus.js";
import { ShotElements } from "./timeline_shots.js";
import { styles } from "./timeline_style.js";
import { format, parse } from "./timecode.js";
import "./timeline_list.js";
import "./twoup.js";
import * as view from "./view.js";

const LARGEST = 64;
const SMALLEST = 0.02;
const AFTER_END = 240;

class Timeline extends StudioElement {
  static topics = ["document", "selection", "jobs", "preview", "range", "engine", "fidelity", "notes"];
  static styles = [styles, menuStyles];

  scale = 8;
  isDragging = false;

  build() {
    this.buildTools();
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.lane = h("div", { class: "lane" });
    this.head = h("div", { class: "playhead" });
    this.insertion = h("div", { class: "insertion", hidden: true });
    this.lengthNote = h("div", { class: "length", hidden: true });
    this.bandMark = h("div", { class: "band", hidden: true });
    this.flags = h("div", { class: "flags" });
    this.blank = h("div", { class: "blank", hidden: true }, "The shots of your film will stand here. Press + to write the first one.");
    this.viewport = h("div", {
      class: "viewport", tabindex: 0, role: "listbox", "aria-label": "Shots",
      "aria-multiselectable": "true", "aria-orientation": "horizontal",
    }, this.canvas, this.lane, this.flags, this.head, this.insertion, this.lengthNote, this.bandMark);
    this.stage = h("div", { style: { position: "relative" } }, this.viewport, this.blank);
    this.list = h("mnemo-list", { hidden: true });
    this.pair = h("mnemo-twoup");
    this.root.append(this.tools, this.stage, this.list, this.pair);
    this.menu = new Menu(this.root);
    this.marks = new Marks(this.flags, () => this.schedule());
    this.plus = new Plus(this, this.viewport, this.lane);
    this.strips = new Strips(() => this.schedule());
    this.shots = new ShotElements(this.lane);
    this.gestures = new Gestures(this, this.viewport);
    this.colours = palette(this);
    this.listen();
  }

  buildTools() {
    const tool = (command, label, content, extra = {}) => titled(h("button", {
      type: "button", class: "plain", on: { click: () => run(command) }, ...extra,
    }, content), label, command);
    this.timecode = h("input", {
      class: "timecode", "aria-label": "Playhead; type a time such as 1:05, 12. or +12", spellcheck: "false",
      on: { change: () => this.typed(), focus: () => this.timecode.select(), keydown: (event) => this.leaveTime(event) },
    });
    this.snap = tool("snapping", "Snapping", "Snap");
    this.loop = tool("loop", "Loop", "Loop");
    this.listTool = tool("list", "The cut as a list", "List");
    this.count = h("span", { class: "dim small" });
    this.budget = document.createElement("mnemo-budget");
    const line = () => h("span", { class: "line" });
    this.tools = h("div", { class: "tools", role: "toolbar", "aria-label": "Timeline" },
      this.timecode, this.count, line(),
      tool("split", "Split at the playhead", "Split"), tool("duplicate", "Duplicate", "Duplicate"),
      tool("remove", "Delete", "Delete"), tool("addMarker", "Add a marker at the playhead", "Marker"), line(), this.snap, this.loop, h("span", { class: "grow" }),
      this.budget, line(),
      tool("zoomOut", "Zoom out", icon("M3 8h10"), { class: "plain icon" }),
      tool("zoomIn", "Zoom in", icon("M3 8h10M8 3v10"), { class: "plain icon" }),
      tool("fit", "Show the whole film", "Fit"), this.listTool);
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
    viewport.addEventListener("contextmenu", (event) => this.openMenu(event));
    new ResizeObserver(() => this.schedule()).observe(viewport);
    store.addEventListener("project", () => {
      this.restored = null;
    });
    store.addEventListener("playhead", () => {
      this.follow();
      this.scheduleHead();
    });
    store.addEventListener("theme", () => {
      this.colours = palette(this);
      this.schedule();
    });
    this.addEventListener("recall-frame", () => run("recall"));
    this.addEventListener("edit-prompt", () => run("editPrompt"));
  }

  /** The menu about what is under the pointer; called by key it is about the selection. */
  openMenu(event) {
    event.preventDefault();
    if (!store.document) return;
    const { clientX, clientY } = event;
    const y = clientY - this.viewport.getBoundingClientRect().top;
    const frame = Math.max(0, Math.floor(this.frameAt(clientX)));
    const flag = event.composedPath()[0].closest?.(".flag");
    const pointed = !isByKey(event) && y >= ROWS.shots && frame < store.total ? store.at(frame).shot : null;
    let lines = placeLines(Math.min(frame, Math.max(0, store.total - 1)));
    if (flag) lines = markerLines(Number(flag.dataset.frame), (at) => this.nameMarker(at));
    else if (pointed || (isByKey(event) && store.current)) {
      const about = pointed ?? (store.selection.size ? null : store.current.shot);
      if (about && !store.selection.has(about.shot_id)) store.select([about.shot_id]);
      lines = shotLines();
    }
    this.menu.show(clientX, clientY, lines, this.viewport);
  }

  /** Let the editor name the marker at `frame`. */
  nameMarker(frame) {
    if (this.stage.hidden) this.toggleList();
    this.marks.rename(frame);
  }

  /** Put the caret into the timecode. */
  typeTime() {
    this.timecode.focus();
  }

  /** Show the cut as a list, or on its lane again. */
  toggleList() {
    this.list.hidden = this.stage.hidden;
    this.stage.hidden = !this.stage.hidden;
    this.listTool.setAttribute("aria-pressed", this.stage.hidden);
    this.schedule();
    if (this.stage.hidden) this.list.enter();
    else this.viewport.focus({ preventScroll: true });
  }

  wheel(event) {
    event.preventDefault();
    if (event.ctrlKey || event.altKey) {
      this.zoom(Math.exp(-Math.sign(event.deltaY) * Math.min(60, Math.abs(event.deltaY)) / 240), event.clientX);
    } else this.viewport.scrollLeft += event.deltaY + event.deltaX;
  }

  typed() {
    const frame = parse(this.timecode.value, store.rate, store.playhead);
    if (frame === null) store.announce(`“${this.timecode.value}” is not a time. Type 00:00:02:00, 1:05, 12. or +12.`, "bad");
    else store.seek(frame);
    this.timecode.blur();
    this.schedule();
  }

  /** Esc leaves the timecode as it was. */
  leaveTime(event) {
    if (event.key !== "Escape") return;
    this.timecode.value = format(store.playhead, store.rate);
    this.timecode.blur();
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

  /** The rubber band between two frames; null hides it. */
  showBand(first, last = 0) {
    this.bandMark.hidden = first === null;
    if (first === null) return;
    this.bandMark.style.left = `${first * this.scale}px`;
    this.bandMark.style.width = `${(last - first) * this.scale}px`;
  }

  /** While an edge is dragged: what it does, in words; null hides it. */
  showLength(start, text = "") {
    this.lengthNote.hidden = start === null;
    if (start === null) return;
    setText(this.lengthNote, text);
    this.lengthNote.style.left = `${start * this.scale + 8}px`;
  }

  /** Where only the playhead moved, nothing else is drawn again. */
  scheduleHead() {
    this.headFrame ||= requestAnimationFrame(() => {
      this.headFrame = 0;
      this.showHead();
      this.showTime();
    });
  }

  /** Lay the two pictures of a cut over the player; null takes them away. */
  twoUp(pictures) {
    this.pair.show(pictures, this.strips);
  }

  resizeLane() {
    const width = Math.max(this.viewport.clientWidth, store.total * this.scale + AFTER_END);
    // The lane is as wide as the film; short of the view there is nothing to scroll to.
    const isWhole = store.total * this.scale <= this.viewport.clientWidth;
    this.lane.style.width = `${isWhole ? this.viewport.clientWidth : width}px`;
  }

  refresh() {
    const { document: cut } = store;
    this.showTools(cut);
    this.showTime();
    if (!this.viewport.clientWidth) return;
    this.blank.hidden = !cut || cut.shots.length > 0;
    if (cut && this.restored !== store.projectId && cut.shots.length) this.restore();
    this.resizeLane();
    const { scrollLeft: left, clientWidth: width } = this.viewport;
    const { scale, strips, colours } = this;
    const budget = Math.max(1, cut?.memory.budget ?? 1);
    paint(this.canvas, {
      left, width, scale, strips, colours, budget, rate: store.rate, range: store.range,
      total: store.total, shots: store.shots, starts: store.starts, markers: store.markers,
      notes: (id) => notes.of(id), ...readingOf(),
    });
    const part = { left, width, scale };
    for (const one of [this.shots, this.marks, this.plus]) one.update(part);
    this.showHead();
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

  showHead() {
    this.head.hidden = !store.shots.length;
    this.head.style.transform = `translateX(${store.playhead * this.scale}px)`;
    const active = store.focus ? `shot-${store.focus.shot_id}` : "";
    if (this.viewport.getAttribute("aria-activedescendant") === active) return;
    this.viewport.setAttribute("aria-activedescendant", active);
  }

  showTime() {
    const isTyping = this.shadowRoot.activeElement === this.timecode;
    if (!isTyping) this.timecode.value = format(store.playhead, store.rate);
  }

  showTools(cut) {
    const chosen = store.selection.size > 1 ? ` · ${store.selection.size} selected` : "";
    setText(this.count, cut ? `/ ${format(store.total, store.rate)}${chosen}` : "");
    this.snap.setAttribute("aria-pressed", store.snapping);
    this.loop.setAttribute("aria-pressed", store.loop);
  }
}

customElements.define("mnemo-timeline", Timeline);
