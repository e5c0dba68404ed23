/** The history: every edit and every take, newest first; a click goes back (or on) to it. */

import * as api from "./api.js";
import { debounce, fill, h, setText, StudioElement } from "./dom.js";
import { run } from "./commands.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { ago } from "./timecode.js";
import { historyRows } from "./tree.js";

const COLUMN = 14;
const ROW = 34;

const styles = sheet(`
.root { gap: 8px; padding-right: 4px; }
ol { list-style: none; margin: 0; padding: 0; }
li button { all: unset; box-sizing: border-box; width: 100%; display: flex; align-items: center; gap: 8px; height: ${ROW}px; padding: 0 8px 0 0; cursor: pointer; border-radius: 4px; }
li button:hover { background: var(--mn-raised); }
li button:focus-visible { outline: 2px solid var(--mn-focus); outline-offset: -2px; }
li svg { flex: none; height: ${ROW}px; color: var(--mn-line-strong); overflow: visible; }
.label { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ahead .label, .other .label { color: var(--mn-faint); }
.head { background: var(--mn-accent-soft); border-radius: 4px; }
.head .label { color: var(--mn-accent); font-weight: 600; }
time { color: var(--mn-faint); font-size: 11.5px; white-space: nowrap; }
img { width: 26px; height: 26px; border-radius: 3px; object-fit: cover; object-position: left; }
`);

const SPACE = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Lines and dot of one row of the tree. */
function drawRow(row, columns) {
  const svg = shape("svg", { width: columns * COLUMN + 6, height: ROW, "aria-hidden": "true" });
  const x = (column) => column * COLUMN + 9;
  const line = (path) => svg.append(shape("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }));
  const middle = ROW / 2;
  for (const column of row.through) line(`M${x(column)} 0V${ROW}`);
  if (row.hasChild) line(`M${x(row.column)} 0V${middle}`);
  if (row.hasParent) line(`M${x(row.column)} ${middle}V${ROW}`);
  for (const from of row.joining) {
    line(`M${x(from)} 0C${x(from)} ${middle} ${x(row.column)} 2 ${x(row.column)} ${middle}`);
  }
  const isHead = row.place === "head";
  svg.append(shape("circle", {
    cx: x(row.column), cy: middle, r: isHead ? 5 : 3.5,
    fill: isHead ? "var(--mn-accent)" : row.place === "past" ? "var(--mn-dim)" : "var(--mn-panel)",
    stroke: isHead ? "var(--mn-accent)" : "currentColor", "stroke-width": 1.5,
  }));
  return svg;
}

class History extends StudioElement {
  static topics = ["document", "history", "project"];
  static styles = [panel, styles];

  build() {
    this.read = debounce(() => this.load(), 80);
    this.note = h("span", { class: "dim small grow clip" });
    this.list = h("ol", { "aria-label": "History, newest first" });
    this.undo = h("button", { type: "button", on: { click: () => run("undo") } }, "Undo");
    this.redo = h("button", { type: "button", on: { click: () => run("redo") } }, "Redo");
    this.root.append(h("div", { class: "row" }, this.note, this.undo, this.redo), this.list);
  }

  refresh() {
    this.undo.disabled = !store.document?.can_undo;
    this.redo.disabled = !store.document?.can_redo;
    const key = `${store.projectId} ${store.document?.rev}`;
    if (!store.document || key === this.shown || !this.isShown) return;
    this.shown = key;
    this.read();
  }

  async load() {
    const asked = store.projectId;
    const reply = asked && await store.ask(() => api.get(`${store.base}/history`));
    if (!reply || asked !== store.projectId) return;
    const rows = historyRows(reply.nodes, reply.head, reply.tip);
    const columns = 1 + Math.max(0, ...rows.flatMap((row) => [row.column, ...row.through]));
    setText(this.note, rows.length === 1 ? "1 step" : `${rows.length} steps`);
    fill(this.list, rows.map((row) => this.row(row, Math.min(columns, 6))));
  }

  row(row, columns) {
    const { node, place } = row;
    const isHead = place === "head";
    const say = { head: "you are here", ahead: "undone", other: "on another branch", past: "" }[place];
    return h("li", { class: place, "data-node": node.id }, h("button", {
      type: "button", title: `${node.label}${say ? ` (${say})` : ""}`, "aria-current": isHead ? "step" : null,
      on: { click: () => !isHead && store.step("rewind", { node_id: node.id }) },
    }, drawRow(row, columns), h("span", { class: "label" }, node.label),
    node.strip ? h("img", { src: node.strip, alt: "" }) : null,
    h("time", { datetime: node.created_at, title: new Date(node.created_at).toLocaleString() }, ago(node.created_at))));
  }
}

customElements.define("mnemo-history", History);
