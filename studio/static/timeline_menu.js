/** The menu under a right click (or Shift+F10): every verb of a shot, of a marker, of the ruler. */

import { run } from "./commands.js";
import { fill, h } from "./dom.js";
import { keyOf } from "./keymap.js";
import { store } from "./store.js";
import { sheet } from "./style.js";
import { chosen, insertAt, isSolo, mark } from "./verbs.js";

export const menuStyles = sheet(`
.menu { position: fixed; inset: auto; margin: 0; padding: 5px 0; min-width: 232px; color: var(--mn-text); background: var(--mn-panel); border: 1px solid var(--mn-line-strong); border-radius: 6px; box-shadow: 0 12px 32px #0008; max-height: calc(100vh - 16px); overflow: auto; }
.menu button { display: flex; justify-content: space-between; gap: 24px; width: 100%; min-height: 0; padding: 3px 14px 3px 12px; border: 0; border-radius: 0; background: transparent; font-size: 12.5px; }
.menu button:focus-visible, .menu button:hover:not(:disabled) { outline: none; background: var(--mn-accent-soft); }
.menu button span { color: var(--mn-dim); font: 11px/19px var(--mn-mono); }
.menu hr { border: 0; border-top: 1px solid var(--mn-line); margin: 5px 0; }
`);

/** A line that does a command, with its key. */
const does = (command, label, extra = {}) => ({ label, key: keyOf(command), press: () => run(command), ...extra });
const LINE = null;

/** Lines about the chosen shots. */
export function shotLines() {
  const ids = chosen();
  const shots = store.shots.filter((shot) => ids.includes(shot.shot_id));
  const every = (name) => shots.every((shot) => shot[name]);
  const hasTake = shots.some((shot) => shot.take);
  const isOne = shots.length === 1;
  const inside = isOne && store.current?.shot === shots[0] && store.current.offset > 0;
  const many = isOne ? "" : ` ${shots.length} shots`;
  return [
    does("generate", `Generate${many}`), does("regenerate", `Regenerate${many} with a new seed`),
    does("takes", "Takes", { disabled: !isOne }), does("recall", "Recall from memory", { disabled: !isOne || !hasTake }),
    does("accept", `Accept${many} as ${isOne ? "it is" : "they are"}`, { disabled: !shots.some((shot) => shot.stale) }), LINE,
    does("editPrompt", "Edit the prompt", { disabled: !isOne }), does("rename", "Rename", { disabled: !isOne }), LINE,
    does("mute", every("muted") ? `Unmute${many}` : `Mute${many}`), does("solo", isSolo(ids) ? "End solo" : `Solo${many}`),
    does("lock", every("locked") ? `Unlock${many}` : `Lock${many}`), LINE,
    does("split", "Split at the playhead", { disabled: !inside }),
    does("trimStart", "Trim the start to the playhead", { disabled: !inside || !hasTake }),
    does("trimEnd", "Trim the end to the playhead", { disabled: !inside || !hasTake }),
    does("slipBack", "Slip one frame earlier", { disabled: !isOne || !hasTake }),
    does("slipOn", "Slip one frame later", { disabled: !isOne || !hasTake }), LINE,
    does("insertBefore", "Add a shot before"), does("insertAfter", "Add a shot after"),
    does("goOn", "Continue with a new shot"), does("bridge", "Bridge to the next shot"), does("duplicate", `Duplicate${many}`),
    does("moveEarlier", "Move earlier"), does("moveLater", "Move later"), does("markShot", "Range = this"), LINE,
    does("clear", `Empty${many}, keep the room`, { disabled: !hasTake }), does("remove", `Delete${many}`),
  ];
}

/** Stand on a marker and move it. */
function nudge(frame, command) {
  store.seek(frame);
  run(command);
}

/** Lines about the marker at `frame`. */
export function markerLines(frame, rename) {
  const others = store.markers.map((marker) => marker.frame);
  return [
    { label: "Go to this marker", press: () => store.seek(frame) },
    { label: "One frame earlier", key: keyOf("markerEarlier"), press: () => nudge(frame, "markerEarlier") },
    { label: "One frame later", key: keyOf("markerLater"), press: () => nudge(frame, "markerLater") },
    { label: "Name this marker", key: keyOf("editMarker"), press: () => rename(frame) },
    LINE,
    { label: "Delete this marker", key: keyOf("deleteMarker"), press: () => store.edit({ kind: "delete_markers", frames: [frame] }) },
    { label: `Delete all ${others.length} markers`, disabled: others.length < 2, press: () => store.edit({ kind: "delete_markers", frames: others }) },
  ];
}

/** Lines about a place of the film. */
export function placeLines(frame) {
  const hasRange = store.range.in !== null || store.range.out !== null;
  const isTaken = store.markers.some((marker) => marker.frame === frame);
  return [
    { label: "Add a marker here", key: keyOf("addMarker"), disabled: isTaken, press: () => store.edit({ kind: "add_marker", frame, label: "" }) },
    does("previousMarker", "Previous marker"), does("nextMarker", "Next marker"), LINE,
    { label: "In here", key: keyOf("markIn"), press: () => mark("in", frame) },
    { label: "Out here", key: keyOf("markOut"), press: () => mark("out", frame) },
    does("toIn", "Go to In", { disabled: store.range.in === null }), does("toOut", "Go to Out", { disabled: store.range.out === null }),
    does("selectRange", "Select the shots in the range", { disabled: !hasRange }),
    does("clearMarks", "Clear the range", { disabled: !hasRange }), LINE,
    { label: "Add a shot at the end", press: () => insertAt(store.shots.length, () => run("editPrompt")) },
    does("selectAll", "Select every shot"), does("fit", "Show the whole film"), does("list", "The cut as a list"), does("help", "Keys"),
  ];
}

/** Whether a `contextmenu` event was made with Shift+F10 or the menu key: then its place says nothing. */
export function isByKey(event) {
  return event.button !== 2 && event.pointerType !== "touch" && !event.ctrlKey;
}

/** One menu, shown where it is wanted. */
export class Menu {
  constructor(root) {
    this.element = h("div", { class: "menu", role: "menu", popover: "auto", on: { keydown: (event) => this.key(event) } });
    root.append(this.element);
  }

  /** Show `lines` at a place of the page; afterwards the focus goes back to `owner`. */
  show(x, y, lines, owner) {
    const press = (line) => {
      this.element.hidePopover();
      owner.focus({ preventScroll: true });
      line.press();
    };
    fill(this.element, ...lines.map((line) => (line === LINE ? h("hr") : h("button", {
      type: "button", role: "menuitem", tabindex: -1, disabled: line.disabled ?? false, on: { click: () => press(line) },
    }, line.label, h("span", {}, line.key ?? "")))));
    this.owner = owner;
    this.element.showPopover();
    const { width, height } = this.element.getBoundingClientRect();
    this.element.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
    this.element.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`;
    this.buttons()[0]?.focus();
  }

  buttons() {
    return [...this.element.querySelectorAll("button:not(:disabled)")];
  }

  key(event) {
    // Keys that an open menu does not use must not reach the film behind it.
    event.stopPropagation();
    const buttons = this.buttons();
    const at = buttons.indexOf(this.element.getRootNode().activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      this.element.hidePopover();
      this.owner.focus({ preventScroll: true });
    } else if (to !== undefined) buttons.at(to % buttons.length)?.focus();
    else return;
    event.preventDefault();
  }
}
