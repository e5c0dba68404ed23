/** The cut as a list: a grid for keyboards, screen readers and small screens, with the same verbs. */

import { fill, h, setText, StudioElement } from "./dom.js";
import { keyOf } from "./keymap.js";
import { lengthOf, legalLengths, rangeOf, titleOf } from "./model.js";
import { store } from "./store.js";
import { listStyles } from "./timeline_list_style.js";
import { isByKey, Menu, menuStyles, shotLines } from "./timeline_menu.js";
import { stateText } from "./timeline_shots.js";
import { format } from "./timecode.js";
import { moveBy } from "./verbs.js";

/** Columns with their names; an `edit` is how a cell is changed in place, a `flag` what it toggles. */
const COLUMNS = [
  { name: "number", title: "Shot" },
  { name: "start", title: "Start" },
  { name: "title", title: "Title", edit: "text" },
  { name: "prompt", title: "Prompt", edit: "text" },
  { name: "length", title: "Frames", edit: "length" },
  { name: "state", title: "State" },
  { name: "muted", title: "Mute", flag: "muted" },
  { name: "locked", title: "Lock", flag: "locked" },
];

function valueOf(column, shot, index) {
  switch (column.name) {
    case "number": return String(index + 1);
    case "start": return format(store.starts[index], store.rate);
    case "title": return titleOf(shot);
    case "length": return lengthText(shot);
    case "state": return stateText(shot, store.jobOf(shot.shot_id));
    case "muted": return shot.muted ? "muted" : "–";
    case "locked": return shot.locked ? "locked" : "–";
    default: return shot[column.name] ?? "";
  }
}

/** Frames that are shown; where the next take will have another length, that too. */
function lengthText(shot) {
  const isOther = shot.take && shot.take.kind !== "footage" && shot.num_frames !== shot.take.num_frames;
  return `${lengthOf(shot)}${isOther ? ` · next ${shot.num_frames}` : ""}`;
}

class List extends StudioElement {
  static topics = ["document", "selection", "jobs"];
  static styles = [listStyles, menuStyles];

  #rows = new Map();
  /** Where the keyboard stands: a shot and a column. */
  #at = { id: null, column: 0 };

  build() {
    this.head = h("div", { role: "row", class: "line head", "aria-rowindex": 1 },
      ...COLUMNS.map((column) => h("div", { role: "columnheader" }, column.title)));
    this.body = h("div", { role: "rowgroup" });
    this.empty = h("p", { class: "dim empty" });
    this.grid = h("div", {
      role: "grid", class: "grid", "aria-label": "The cut as a list", "aria-multiselectable": "true",
      "aria-colcount": COLUMNS.length,
      on: {
        keydown: (event) => this.key(event), click: (event) => this.click(event),
        dblclick: (event) => this.double(event), contextmenu: (event) => this.openMenu(event),
      },
    }, h("div", { role: "rowgroup" }, this.head), this.body);
    this.root.append(this.grid, this.empty);
    this.menu = new Menu(this.root);
  }

  /** Show it and put the keyboard on the shot in focus. */
  enter() {
    this.refresh();
    const shot = store.focus;
    if (shot) this.go(store.indexOf(shot.shot_id), this.#at.column);
  }

  refresh() {
    if (!this.isShown) return;
    const hadFocus = this.body.contains(this.shadowRoot.activeElement);
    const place = [...this.#rows.keys()].indexOf(this.#at.id);
    this.grid.setAttribute("aria-rowcount", store.shots.length + 1);
    // A short film leaves the room to the picture.
    this.root.style.setProperty("--rows", store.shots.length);
    this.grid.hidden = !store.shots.length;
    setText(this.empty, store.shots.length ? "" : `No shots yet. Add one with ${keyOf("insertAfter")}, or import a storyboard.`);
    const rows = new Map();
    store.shots.forEach((shot, index) => rows.set(shot.shot_id, this.row(shot, index)));
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.element.remove();
    this.#rows = rows;
    let index = 0;
    for (const { element } of rows.values()) {
      if (this.body.children[index] !== element) this.body.insertBefore(element, this.body.children[index] ?? null);
      index += 1;
    }
    if (!rows.has(this.#at.id)) this.#at.id = store.shots[Math.min(Math.max(0, place), store.shots.length - 1)]?.shot_id ?? null;
    this.rove();
    // A row that moved or went away took the focus with it.
    if (hadFocus && !this.body.contains(this.shadowRoot.activeElement)) this.cell()?.focus();
  }

  row(shot, index) {
    const made = this.#rows.get(shot.shot_id) ?? this.make(shot.shot_id);
    made.element.setAttribute("aria-rowindex", index + 2);
    made.element.setAttribute("aria-selected", store.selection.has(shot.shot_id));
    made.element.className = `line ${shot.muted ? "muted" : ""} ${shot.stale ? "stale" : ""}`;
    COLUMNS.forEach((column, at) => {
      const cell = made.cells[at];
      if (cell.dataset.editing) return;
      const text = valueOf(column, shot, index);
      setText(cell, text);
      if (column.flag) cell.setAttribute("aria-label", `${column.title}: ${shot[column.flag] ? "on" : "off"}`);
      if (column.name === "prompt" || column.name === "title") cell.title = text;
    });
    return made;
  }

  make(id) {
    const cells = COLUMNS.map((column, at) => h("div", {
      role: at ? "gridcell" : "rowheader", class: `cell ${column.name}`, tabindex: -1, "data-column": at,
      "aria-readonly": column.edit || column.flag ? null : "true",
    }));
    return { element: h("div", { role: "row", "data-id": id }, ...cells), cells };
  }

  cell() {
    return this.#rows.get(this.#at.id)?.cells[this.#at.column];
  }

  /** Exactly one cell can be reached with Tab: the one the keyboard stood on last. */
  rove() {
    this.body.querySelector('[tabindex="0"]')?.setAttribute("tabindex", -1);
    this.cell()?.setAttribute("tabindex", 0);
  }

  /** Stand on a cell: its shot is chosen and shown. */
  go(index, column, { isExtending = false } = {}) {
    const shot = store.shots[Math.max(0, Math.min(store.shots.length - 1, index))];
    if (!shot) return;
    this.#at = { id: shot.shot_id, column: Math.max(0, Math.min(COLUMNS.length - 1, column)) };
    this.rove();
    this.cell().focus({ preventScroll: true });
    this.cell().scrollIntoView({ block: "nearest", inline: "nearest" });
    if (isExtending && store.anchor) store.select(rangeOf(store.shots, store.anchor, shot.shot_id), store.anchor);
    else if (!store.selection.has(shot.shot_id) || store.selection.size > 1) store.select([shot.shot_id]);
    store.seek(store.starts[store.indexOf(shot.shot_id)]);
  }

  key(event) {
    if (event.target.closest?.("input, select")) return;
    const { id, column } = this.#at;
    const index = store.indexOf(id);
    const page = Math.max(1, Math.floor(this.grid.clientHeight / 30) - 1);
    const down = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[event.key];
    const side = { ArrowRight: column + 1, ArrowLeft: column - 1, Home: 0, End: COLUMNS.length - 1 }[event.key];
    const { flag, edit } = COLUMNS[column];
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) moveBy(down);
    else if (event.ctrlKey && event.key === "Home") this.go(0, column);
    else if (event.ctrlKey && event.key === "End") this.go(store.shots.length - 1, column);
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (down) this.go(index + down, column, { isExtending: event.shiftKey });
    else if (side !== undefined && !event.shiftKey) this.go(index, side);
    else if (flag && (event.key === " " || event.key === "Enter")) this.toggle(flag);
    else if (edit && event.key === "Enter") this.edit();
    else if (event.key === "F2") this.edit(COLUMNS.findIndex((one) => one.name === "title"));
    else return;
    event.preventDefault();
  }

  toggle(flag) {
    const shot = store.shots[store.indexOf(this.#at.id)];
    store.edit({ kind: "set", shot_ids: [shot.shot_id], fields: { [flag]: !shot[flag] } });
  }

  click(event) {
    const cell = event.composedPath()[0].closest?.(".cell");
    if (!cell || cell.dataset.editing) return;
    const { id } = cell.parentElement.dataset;
    const column = Number(cell.dataset.column);
    if (event.ctrlKey || event.metaKey) {
      const ids = new Set(store.selection);
      if (!ids.delete(id)) ids.add(id);
      store.select([...ids]);
      this.#at = { id, column };
      this.rove();
      return;
    }
    this.go(store.indexOf(id), column, { isExtending: event.shiftKey });
    if (COLUMNS[column].flag && !event.shiftKey) this.toggle(COLUMNS[column].flag);
  }

  double(event) {
    const cell = event.composedPath()[0].closest?.(".cell");
    if (cell && COLUMNS[cell.dataset.column].edit) this.edit(Number(cell.dataset.column));
  }

  openMenu(event) {
    event.preventDefault();
    const row = event.composedPath()[0].closest?.("[data-id]");
    if (!row) return;
    if (!store.selection.has(row.dataset.id)) store.select([row.dataset.id]);
    const box = row.getBoundingClientRect();
    const [x, y] = isByKey(event) ? [box.left + 24, box.bottom] : [event.clientX, event.clientY];
    this.menu.show(x, y, shotLines(), this.cell() ?? row);
  }

  /** Change a cell in place: Enter keeps, Esc does not. */
  edit(column = this.#at.column) {
    const shot = store.shots[store.indexOf(this.#at.id)];
    if (!shot) return;
    this.#at.column = column;
    const cell = this.cell();
    const { name, title } = COLUMNS[column];
    const field = name === "length" ? lengthField(shot) : h("input", { value: shot[name] ?? "", maxlength: 4000 });
    field.setAttribute("aria-label", `${title} of shot ${store.indexOf(shot.shot_id) + 1}`);
    let isOver = false;
    const end = (isKept) => {
      if (isOver) return;
      isOver = true;
      delete cell.dataset.editing;
      fill(cell, valueOf(COLUMNS[column], shot, store.indexOf(shot.shot_id)));
      if (isKept) this.keep(shot, name, field.value);
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (!["Enter", "Escape", "Tab"].includes(event.key)) return;
      event.preventDefault();
      end(event.key !== "Escape");
      this.go(store.indexOf(shot.shot_id), event.key === "Tab" ? column + (event.shiftKey ? -1 : 1) : column);
    });
    field.addEventListener("blur", () => end(true));
    cell.dataset.editing = "true";
    fill(cell, field);
    field.focus();
    field.select?.();
  }

  keep(shot, name, value) {
    const field = name === "length" ? "num_frames" : name;
    const wanted = name === "length" ? Number(value) : value;
    if (wanted !== shot[field]) store.edit({ kind: "set", shot_id: shot.shot_id, fields: { [field]: wanted } });
  }
}

/** A choice of the lengths that the model can generate. */
function lengthField(shot) {
  const { frame_multiple: multiple, max_frames: max } = store.engine.info ?? {};
  const lengths = multiple ? legalLengths(multiple, max) : [shot.num_frames];
  if (!lengths.includes(shot.num_frames)) lengths.unshift(shot.num_frames);
  return h("select", { value: String(shot.num_frames) }, ...lengths.map((frames) => h("option", { value: frames }, String(frames))));
}

customElements.define("mnemo-list", List);
