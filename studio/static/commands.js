/** What keys and buttons do, by name; keys are never taken from a text field. */

import { commandFor, usePreset, withKey } from "./keymap.js";
import { useMemoryPreset } from "./reads.js";
import { settings } from "./settings.js";
import * as stale from "./stale.js";
import { store } from "./store.js";
import { nominalRate } from "./timecode.js";
import * as verbs from "./verbs.js";

const element = (name) => document.querySelector(name);
const player = () => element("mnemo-player");
const timeline = () => element("mnemo-timeline");

/** Show a tab of the inspector by its title. */
export function showTab(title) {
  const tabs = document.querySelectorAll("#inspector button[role=tab]");
  for (const tab of tabs) if (tab.textContent.trim() === title) tab.click();
}

function step(frames) {
  player().stop();
  store.seek(store.playhead + frames);
}

function toCut(direction) {
  player().stop();
  verbs.toCut(direction);
}

function toggle(name, on, off) {
  store[name] = !store[name];
  store.announce(store[name] ? on : off);
  store.emit("range");
}

/** Show a tab and call a method of its component, which Gradio may only now be making. */
export function showPanel(title, name, method) {
  showTab(title);
  let tries = 30;
  const call = () => {
    const panel = element(name);
    if (panel?.offsetParent && panel[method]) panel[method]();
    else if (tries-- > 0) requestAnimationFrame(call);
  };
  requestAnimationFrame(call);
}

function generate(ids, newSeed) {
  const locked = ids.filter((id) => store.shots[store.indexOf(id)]?.locked);
  if (locked.length) store.announce(`${store.nameOf(locked[0])} is locked: it keeps its take.`);
  const open = ids.filter((id) => !locked.includes(id));
  return open.length ? store.generate(open, newSeed) : null;
}

const editPrompt = () => showPanel("Shot", "mnemo-shot", "editPrompt");
const nameMarker = (frame) => timeline().nameMarker(frame);

const COMMANDS = {
  play: () => player().toggle(),
  stop: () => player().stop(),
  forward: () => player().shuttle(1),
  backward: () => player().shuttle(-1),
  nextFrame: () => step(1),
  previousFrame: () => step(-1),
  nextFive: () => step(5),
  previousFive: () => step(-5),
  nextSecond: () => step(nominalRate(store.rate)),
  previousSecond: () => step(-nominalRate(store.rate)),
  nextCut: () => toCut(1),
  previousCut: () => toCut(-1),
  start: () => step(-store.total),
  end: () => step(store.total),
  shotStart: () => verbs.toEdge(false),
  shotEnd: () => verbs.toEdge(true),
  typeTime: () => timeline().typeTime(),
  loop: () => toggle("loop", "Loop on", "Loop off"),
  markIn: () => verbs.mark("in"),
  markOut: () => verbs.mark("out"),
  markShot: () => verbs.markChosen(),
  toIn: () => verbs.toMark("in"),
  toOut: () => verbs.toMark("out"),
  clearMarks: () => verbs.setRange({ in: null, out: null }),
  addMarker: () => verbs.addMarker(nameMarker),
  editMarker: () => verbs.editMarker(nameMarker),
  deleteMarker: () => verbs.deleteMarker(),
  markerEarlier: () => verbs.nudgeMarker(-1),
  markerLater: () => verbs.nudgeMarker(1),
  nextMarker: () => verbs.toMarker(1),
  previousMarker: () => verbs.toMarker(-1),
  selectAll: () => store.select(store.shots.map((shot) => shot.shot_id)),
  selectShot: () => store.current && store.select([store.current.shot.shot_id]),
  selectRange: () => verbs.selectRange(),
  deselect: () => store.select([]),
  split: () => verbs.split(),
  trimStart: () => verbs.trim("in"),
  trimEnd: () => verbs.trim("out"),
  slipBack: () => verbs.slip(-1),
  slipOn: () => verbs.slip(1),
  moveEarlier: () => verbs.moveBy(-1),
  moveLater: () => verbs.moveBy(1),
  insertAfter: () => verbs.insert(1, editPrompt),
  insertBefore: () => verbs.insert(0, editPrompt),
  goOn: () => verbs.goOn(editPrompt),
  bridge: () => verbs.bridge(editPrompt),
  duplicate: () => verbs.duplicate(),
  remove: () => verbs.remove(),
  clear: () => verbs.clear(),
  mute: () => verbs.toggleFlag("muted"),
  solo: () => verbs.solo(),
  lock: () => verbs.toggleFlag("locked"),
  undo: () => store.document?.can_undo && store.step("undo"),
  redo: () => store.document?.can_redo && store.step("redo"),
  generate: () => generate(verbs.chosen(), false),
  regenerate: () => generate(verbs.chosen(), true),
  generateAll: () => store.generate(null),
  rollAgain: () => store.focus && stale.rollAgain(store.focus.shot_id),
  updateStale: () => stale.updateChanged(),
  accept: () => stale.acceptStale(verbs.chosen()),
  memoryCut: () => useMemoryPreset("cut"),
  memoryPlace: () => useMemoryPreset("same_place"),
  memoryCharacter: () => useMemoryPreset("same_character"),
  memoryContinuous: () => useMemoryPreset("continuous"),
  budget: () => timeline().budget.open(),
  takes: () => showTab("Takes"),
  recall: () => showPanel("Memory", "mnemo-memory", "recallPlayhead"),
  export: () => showTab("Export"),
  editPrompt,
  rename: () => showPanel("Shot", "mnemo-shot", "rename"),
  zoomIn: () => timeline().zoom(1.4),
  zoomOut: () => timeline().zoom(1 / 1.4),
  fit: () => timeline().fit(),
  snapping: () => toggle("snapping", "Snapping on", "Snapping off"),
  list: () => timeline().toggleList(),
  help: () => element("mnemo-help").toggle(),
};

/** Do what a command is for. */
export function run(name) {
  return COMMANDS[name]();
}

const TEXT_FIELDS = "input:not([type=range]):not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable]";
const PRESSED_BY_KEYS = "button,summary,a,[role=tab],input";

function isOwnedBy(target, event) {
  if (target.closest?.(TEXT_FIELDS)) return true;
  if ([" ", "Enter"].includes(event.key) && target.closest?.(PRESSED_BY_KEYS)) return true;
  return target.matches?.("input[type=range],[role=tab]") && /^(Arrow|Home|End)/.test(event.key);
}

let isStopHeld = false;

function onKey(event) {
  const target = event.composedPath()[0];
  if (event.defaultPrevented || isOwnedBy(target, event) || !store.document) return;
  // An open menu has the keys: Esc, taken here, would not close it.
  if (event.composedPath().some((node) => node.matches?.(":popover-open"))) return;
  const open = event.composedPath().find((node) => node instanceof HTMLDialogElement);
  const command = commandFor(event);
  if (!command || (open && command !== "help")) return;
  event.preventDefault();
  if (command === "stop") isStopHeld = true;
  if (isStopHeld && command === "forward") run("nextFrame");
  else if (isStopHeld && command === "backward") run("previousFrame");
  else run(command);
}

/** Give a button its label and, as a tooltip, its key in the preset in use, whenever that changes. */
export function titled(target, label, command) {
  const show = () => target.setAttribute("title", withKey(label, command));
  target.setAttribute("aria-label", label);
  store.addEventListener("keys", show);
  show();
  return target;
}

const KEEPS_FOCUS = "li,dialog,[popover],[aria-haspopup],[role=menu],[role=grid]";

/** A press with the mouse leaves the keys to the film: Space plays, whatever was pressed before. */
function leaveKeys(event) {
  const target = event.composedPath()[0].closest?.("button,summary,[role=tab]");
  // A press by key has no detail: there the focus must stay.
  if (event.detail && store.document && target && !target.closest(KEEPS_FOCUS)) target.blur();
}

/** Listen to keys on the whole page, once. */
export function listen() {
  addEventListener("click", leaveKeys);
  settings.addEventListener("change", () => {
    usePreset(settings.get("keys"));
    store.emit("keys");
  });
  addEventListener("keydown", onKey);
  addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "k") isStopHeld = false;
  });
  addEventListener("blur", () => {
    isStopHeld = false;
  });
}
