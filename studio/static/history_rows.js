/** One step of the history as a row: its place in the tree, what was done, what it shows. */

import { button, fill, h, setText } from "./dom.js";
import { ago } from "./timecode.js";

/** Height of a row in pixels: all are equal, so that only those in view need to exist. */
export const ROW = 34;
/** Columns of the tree that are drawn; more branches share the last one. */
export const MOST_COLUMNS = 6;
const COLUMN = 14;
const SPACE = "http://www.w3.org/2000/svg";
const PLACES = { head: "you are here", ahead: "undone", other: "on another branch", past: "" };

function shape(name, attributes) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Lines and dot of one row of the tree. */
function drawRow(row, columns) {
  const svg = shape("svg", { width: columns * COLUMN + 6, height: ROW, "aria-hidden": "true" });
  const x = (column) => Math.min(column, columns - 1) * COLUMN + 9;
  const line = (path) => svg.append(shape("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }));
  const middle = ROW / 2;
  for (const column of row.through) if (column < columns) line(`M${x(column)} 0V${ROW}`);
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

/** The element of a step; `onGo` goes there, `onMenu` offers what else can be done with it. */
export function makeRow(row, { columns, names, total, onGo, onMenu }) {
  const { node, place, index } = row;
  const say = PLACES[place];
  const go = h("button", {
    type: "button", class: "go", title: `${node.label}${say ? ` (${say})` : ""}`,
    "aria-current": place === "head" ? "step" : null, on: { click: () => onGo(row) },
  }, drawRow(row, columns), h("span", { class: "label" }, node.label),
  names.map((name) => h("span", { class: "chip clip" }, name)),
  node.strip ? h("img", { src: node.strip, alt: "", loading: "lazy" }) : null,
  h("time", { datetime: node.created_at, title: new Date(node.created_at).toLocaleString() }, ago(node.created_at)));
  const more = button("⋯", () => onMenu(row, more), {
    class: "plain icon more", "aria-label": `More about ${node.label}`, "aria-haspopup": "menu",
  });
  const element = h("li", {
    class: place, "data-node": node.id, "aria-setsize": total, "aria-posinset": index + 1,
    on: { contextmenu: (event) => {
      event.preventDefault();
      onMenu(row, more);
    } },
  }, go, more);
  element.style.top = `${index * ROW}px`;
  return element;
}

/** The lines of the history by name: where each stands, go there, rename. */
export function fillLines(list, branches, nodes, { onSwitch, onRename }) {
  const labels = new Map(nodes.map((node) => [node.id, node]));
  fill(list, branches.map((branch) => h("li", { class: branch.is_current ? "current" : "", "data-line": branch.name },
    h("span", { class: "label", title: branch.name }, branch.name),
    h("span", { class: "dim small clip" }, branch.is_current ? "you are here" : labels.get(branch.head)?.label ?? ""),
    button("Rename", () => onRename(branch), { class: "plain" }),
    branch.is_current ? null : button("Go there", () => onSwitch(branch)))));
}

/** Ask for a name; the promise gives it, or null where the editor changed their mind. */
export function nameDialog() {
  const title = h("h2", {});
  const words = h("p", { class: "dim small" });
  const field = h("input", { maxlength: 80, "aria-label": "Name", required: true });
  const cancel = button("Cancel", () => element.close(""), { class: "plain" });
  const accept = h("button", { type: "submit", class: "primary" }, "OK");
  const form = h("form", { method: "dialog", on: { submit: (event) => {
    event.preventDefault();
    element.close(field.value.trim());
  } } }, h("div", { class: "ask" }, words, field), h("footer", {}, h("span", { class: "grow" }), cancel, accept));
  const element = h("dialog", { "aria-label": "Name" }, h("header", {}, title), form);
  return {
    element,
    ask(heading, explanation, value = "") {
      setText(title, heading);
      setText(words, explanation);
      field.value = value;
      element.returnValue = "";
      element.showModal();
      field.select();
      return new Promise((resolve) => {
        element.addEventListener("close", () => resolve(element.returnValue || null), { once: true });
      });
    },
  };
}
