/** What keys and buttons do, by name; keys are never taken from a text field. */

import { commandFor } from "./keymap.js";
import { store } from "./store.js";
import { nominalRate } from "./timecode.js";
import { lengthOf } from "./model.js";

const element = (name) => document.querySelector(name);
const player = () => element("mnemo-player");
const timeline = () => element("mnemo-timeline");

/** Show a tab of the inspector by its title. */
export function showTab(title) {
  const tabs = document.querySelectorAll("#inspector button[role=tab]");
  for (const tab of tabs) if (tab.textContent.trim() === title) tab.click();
}

function chosen() {
  if (store.selection.size) {
    return store.shots.filter((shot) => store.selection.has(shot.shot_id)).map((shot) => shot.shot_id);
  }
  return store.current ? [store.current.shot.shot_id] : [];
}

function step(frames) {
  player().stop();
  store.seek(store.playhead + frames);
}

function toCut(direction) {
  player().stop();
  const here = store.current;
  if (!here) return;
  const start = store.starts[here.index];
  if (direction > 0) store.seek(store.starts[here.index + 1]);
  else store.seek(here.offset ? start : store.starts[Math.max(0, here.index - 1)]);
}

function split() {
  const here = store.current;
  if (!here || !here.offset) {
    store.announce("A shot is split inside of it: move the playhead off the cut.", "bad");
    return;
  }
  store.edit({ kind: "split", shot_id: here.shot.shot_id, frame: here.offset });
}

function trim(edge) {
  const here = store.current;
  if (!here?.offset) return;
  const { shot, offset } = here;
  if (!shot.take) {
    store.announce("A shot without a take is not trimmed: change its length instead.", "bad");
    return;
  }
  const cutPoint = shot.in + offset;
  const span = edge === "in" ? { in: cutPoint, out: shot.out } : { in: shot.in, out: cutPoint };
  store.edit({ kind: "trim", shot_id: shot.shot_id, ...span });
  if (edge === "in") store.seek(store.starts[here.index]);
}

function mark(edge) {
  const range = { ...store.range, [edge]: store.playhead };
  if (range.in !== null && range.out !== null && range.in > range.out) {
    range[edge === "in" ? "out" : "in"] = null;
  }
  store.range = range;
  store.emit("range");
}

function toggle(name, on, off) {
  store[name] = !store[name];
  store.announce(store[name] ? on : off);
  store.emit("range");
}

/** Show a tab and call a method of its component, which Gradio may only now be making. */
function inPanel(title, name, method) {
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

/** Start of the shot under the playhead, or its last frame. */
function edgeOfShot(isEnd) {
  const here = store.current;
  if (!here) return;
  const start = store.starts[here.index];
  store.seek(isEnd ? start + lengthOf(here.shot) - 1 : start);
}

const COMMANDS = {
  play: () => player().toggle(),
  stop: () => player().stop(),
  forward: () => player().shuttle(1),
  backward: () => player().shuttle(-1),
  nextFrame: () => step(1),
  previousFrame: () => step(-1),
  nextSecond: () => step(nominalRate(store.rate)),
  previousSecond: () => step(-nominalRate(store.rate)),
  nextCut: () => toCut(1),
  previousCut: () => toCut(-1),
  start: () => step(-store.total),
  end: () => step(store.total),
  shotStart: () => edgeOfShot(false),
  shotEnd: () => edgeOfShot(true),
  loop: () => toggle("loop", "Loop on", "Loop off"),
  markIn: () => mark("in"),
  markOut: () => mark("out"),
  clearMarks: () => {
    store.range = { in: null, out: null };
    store.emit("range");
  },
  split,
  trimStart: () => trim("in"),
  trimEnd: () => trim("out"),
  remove: () => store.selection.size && store.edit({ kind: "delete", shot_ids: chosen() }),
  duplicate: () => chosen().length && store.edit({ kind: "duplicate", shot_ids: chosen() }),
  selectAll: () => store.select(store.shots.map((shot) => shot.shot_id)),
  undo: () => store.document?.can_undo && store.step("undo"),
  redo: () => store.document?.can_redo && store.step("redo"),
  generate: () => generate(chosen(), false),
  regenerate: () => generate(chosen(), true),
  generateAll: () => store.generate(null),
  updateStale: () => store.generate(store.stale.map((shot) => shot.shot_id)),
  takes: () => showTab("Takes"),
  recall: () => inPanel("Memory", "mnemo-memory", "recallPlayhead"),
  export: () => showTab("Export"),
  editPrompt: () => inPanel("Shot", "mnemo-shot", "editPrompt"),
  rename: () => inPanel("Shot", "mnemo-shot", "rename"),
  zoomIn: () => timeline().zoom(1.4),
  zoomOut: () => timeline().zoom(1 / 1.4),
  fit: () => timeline().fit(),
  snapping: () => toggle("snapping", "Snapping on", "Snapping off"),
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
  const open = event.composedPath().find((node) => node instanceof HTMLDialogElement);
  const command = commandFor(event);
  if (!command || (open && command !== "help")) return;
  event.preventDefault();
  if (command === "stop") isStopHeld = true;
  if (isStopHeld && command === "forward") run("nextFrame");
  else if (isStopHeld && command === "backward") run("previousFrame");
  else run(command);
}

/** Listen to keys on the whole page, once. */
export function listen() {
  addEventListener("keydown", onKey);
  addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "k") isStopHeld = false;
  });
  addEventListener("blur", () => {
    isStopHeld = false;
  });
}
