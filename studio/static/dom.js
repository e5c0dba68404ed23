/** Building elements from data as text only, and the base of every component of the page. */

import { base } from "./style.js";
import { store } from "./store.js";

function setProperty(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") element.className = value;
  else if (name === "on") {
    for (const [type, handler] of Object.entries(value)) element.addEventListener(type, handler);
  } else if (name === "style") {
    for (const [key, setting] of Object.entries(value)) element.style.setProperty(key, setting);
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") {
    element[name] = value;
  } else element.setAttribute(name, value === true ? "" : value);
}

/** Make an element. Strings among `children` become text nodes: data is never read as markup. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  // A select takes its value, and a range its limits, only once those are in place.
  const { value, ...first } = properties;
  for (const [name, setting] of Object.entries(first)) setProperty(element, name, setting);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  if (value !== undefined) setProperty(element, "value", value);
  return element;
}

/** Replace what `parent` holds. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((child) => child !== null));
  return parent;
}

/** Set text only where it changed, so that a screen reader and a selection are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A button whose press is reported as refused where it fails. */
export function button(label, press, properties = {}) {
  return h("button", { type: "button", ...properties, on: { click: press } }, label);
}

/** Path of the icon of a film. */
export const FILM = "M2 3.5h12v9H2zM5 3.5v9M11 3.5v9M2 8h3M11 8h3";

/** An icon from a path in a 16 by 16 box. */
export function icon(path, size = 16) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(space, "path");
  shape.setAttribute("d", path);
  shape.setAttribute("fill", "none");
  shape.setAttribute("stroke", "currentColor");
  shape.setAttribute("stroke-width", "1.5");
  shape.setAttribute("stroke-linecap", "round");
  shape.setAttribute("stroke-linejoin", "round");
  svg.append(shape);
  return svg;
}

/** Call `action` once, `wait` ms after the last call. `flush` calls it now if it is due. */
export function debounce(action, wait) {
  let timer = 0;
  let due = null;
  const run = () => {
    clearTimeout(timer);
    const now = due;
    due = null;
    now?.();
  };
  const later = (...args) => {
    due = () => action(...args);
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
  later.flush = run;
  return later;
}

/** A component: built once in a shadow root, refreshed when a topic of the store changes. */
export class StudioElement extends HTMLElement {
  /** Topics of the store that call `refresh`. */
  static topics = ["document"];
  /** Style sheets beside the shared one. */
  static styles = [];

  #waiting = false;

  connectedCallback() {
    if (this.shadowRoot) return;
    const shadow = this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [base, ...this.constructor.styles];
    // Text colours stand on an inner element: the page's own rules may reach the host.
    this.root = h("div", { class: "root" });
    shadow.append(this.root);
    this.build();
    for (const topic of this.constructor.topics) {
      store.addEventListener(topic, () => this.schedule());
    }
    this.refresh();
    // A tab that was hidden comes up to date when it is shown, also what lies below its fold.
    let wasShown = this.isShown;
    new ResizeObserver(() => {
      if (this.isShown && !wasShown) this.schedule();
      wasShown = this.isShown;
    }).observe(this);
    this.dataset.ready = "";
  }

  /** Whether the component can be seen: a panel in a hidden tab asks the server for nothing. */
  get isShown() {
    return this.offsetParent !== null;
  }

  /** Make the elements, once. */
  build() {}

  /** Bring the elements up to date with the store. */
  refresh() {}

  /** Refresh at the next frame, however many topics changed until then. */
  schedule() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.refresh();
    });
  }
}
