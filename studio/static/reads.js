/** What fed this shot: every earlier take with its share, kept, left out, or rolled without. */

import { button, h, setText, StudioElement } from "./dom.js";
import { overBudgetOf } from "./memory_lane.js";
import { nameOf } from "./model.js";
import "./forget.js";
import { rollAgain } from "./stale.js";
import { sheet } from "./style.js";
import { store } from "./store.js";

const PRESETS = [
  ["cut", "Cut", "Reads nothing: a hard cut."],
  ["same_place", "Same place", "Reads the shot before it alone, as it is."],
  ["same_character", "Same character", "Reads every shot before it, with the model's own strength."],
  ["continuous", "Continuous", "Reads every shot before it, more strongly, and the last one always."],
];
const STRONG = 3;

const styles = sheet(`
:host { height: auto; }
.root { display: grid; gap: 8px; border-top: 1px solid var(--mn-line); padding-top: 14px; height: auto; }
.segments { display: flex; }
.segments button { flex: 1 1 auto; min-width: 0; padding: 2px 4px; font-size: 12px; }
.one { display: grid; grid-template-columns: 48px minmax(0, 1fr) auto; gap: 4px 8px; align-items: center; font-size: 12px; }
.thumb { width: 48px; height: 29px; border-radius: 3px; background: #000 0 0 / auto 100% no-repeat; padding: 0; border: 0; min-height: 0; }
.line { display: grid; grid-template-columns: minmax(0, 1fr) 42px; gap: 4px; align-items: center; }
.line .bar { grid-column: 1; }
.percent { grid-row: 1 / 3; grid-column: 2; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--mn-dim); }
.off .name { color: var(--mn-dim); text-decoration: line-through; }
.off .thumb { opacity: .5; }
.who { margin-left: 6px; padding: 0 5px; border-radius: 7px; border: 1px solid var(--mn-line); color: var(--mn-dim); font-size: 11px; }
.who.tells { border-color: var(--mn-accent); color: var(--mn-text); }
.tools { display: flex; gap: 2px; }
.tools button { min-height: 24px; padding: 1px 7px; font-size: 12px; }
mnemo-forget { grid-column: 1 / -1; }
`);

/** Set what the shot in focus reads by one word: a key of the server's presets. */
export function useMemoryPreset(preset) {
  const shot = store.focus;
  if (shot) store.edit({ kind: "memory_preset", shot_id: shot.shot_id, preset });
}

const TELLS = "How they look is read here first: the first shot read that names them. What it hides is looked for in later ones. Forget it, and the next one has the say.";
const OTHERS = "Somebody else: its prompt names none of this one's people. It is read for its place, not for who is in it.";
const MOST_NEWEST = 24;
const STRONG_SHARE = 0.02;

/** What each of `reads`, oldest first, is to `shot` as the server tells the engine: `tells`, `later`, `others`, or nothing. */
function whoIs(shot, reads) {
  const kinds = new Map();
  if (!store.engine.info?.knows_names || !shot.names?.length) return kinds;
  const { systems = [] } = store.engine.info;
  const isWindow = systems.find((system) => system.name === shot.memory.system)?.most_steps > 0;
  const unseen = new Set(shot.names);
  for (const other of reads) {
    const shown = other.take.names ?? [];
    const isAsked = shown.some((name) => shot.names.includes(name));
    const tells = shown.some((name) => unseen.has(name));
    if (shown.length) kinds.set(other.shot_id, tells ? "tells" : isAsked ? "later" : "others");
    if (!isWindow) shown.forEach((name) => unseen.delete(name));
  }
  return kinds;
}

/** The words of a mark and what they mean. A later shot of the same people has none: most are. */
function markOf(kind, shot, other) {
  const shown = other.take.names ?? [];
  if (kind === "tells") return [`Look of ${shown.filter((name) => shot.names.includes(name)).join(", ")}`, TELLS];
  return kind === "others" ? [shown.join(", "), OTHERS] : ["", ""];
}

class Reads extends StudioElement {
  static topics = ["document", "selection", "focus", "project", "engine"];
  static styles = [styles];

  build() {
    this.rows = new Map();
    this.open = null;
    this.presets = PRESETS.map(([preset, label, title]) => button(label, () => this.preset(preset), { title, "data-preset": preset }));
    this.budget = h("div", { class: "small warn", hidden: true });
    this.list = h("div", { style: { display: "grid", gap: "8px" } });
    this.isWhole = false;
    this.all = button("", () => {
      this.isWhole = !this.isWhole;
      this.refresh();
    }, { class: "plain", hidden: true });
    this.heading = h("h3", {}, "What fed this shot");
    this.reroll = button("Roll again, same seed", () => this.again(), {
      title: "One more take with the seed of this one: only what it reads differs",
    });
    this.root.append(
      h("div", { class: "segments", role: "group", "aria-label": "Memory preset" }, ...this.presets),
      h("div", { class: "row" }, h("span", { class: "grow" }, this.heading), this.reroll), this.budget, this.list, this.all);
  }

  refresh() {
    const shot = store.focus;
    const index = shot ? store.indexOf(shot.shot_id) : -1;
    const isReader = shot && shot.take?.kind !== "footage" && shot.memory.system !== "none";
    const earlier = isReader ? store.shots.slice(0, index).filter((other) => other.take && !other.muted) : [];
    this.hidden = !earlier.length;
    // In a hidden tab nobody sees it; it comes up to date when the tab is shown.
    if (this.hidden || !this.isShown) return;
    this.showPresets(shot, earlier);
    this.reroll.disabled = Boolean(shot.locked) || !shot.take || Boolean(store.jobOf(shot.shot_id));
    setText(this.heading, shot.take ? "What fed this shot" : "What will feed this shot");
    this.over = overBudgetOf(shot);
    this.budget.hidden = !this.over.size;
    setText(this.budget, this.over.size === 1 ? `${store.nameOf([...this.over][0])} is over the budget of memory tokens and is not read.`
      : `${this.over.size} older shots are over the budget of memory tokens and are not read.`);
    const weights = new Map((shot.take?.sources ?? []).map(({ take_id: id, weight }) => [id, weight]));
    const { forgotten } = shot.memory;
    this.who = whoIs(shot, earlier.filter((other) => !forgotten.includes(other.shot_id) && !this.over.has(other.shot_id)));
    // Newest first: what stands nearest is looked for most.
    const listed = this.listed(shot, earlier.reverse(), weights);
    const seen = new Set(listed.map((other) => other.shot_id));
    for (const [id, row] of this.rows) {
      if (seen.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    listed.forEach((other, at) => {
      const row = this.rows.get(other.shot_id) ?? this.make(other.shot_id);
      // Only what stands elsewhere is moved: a move would take the focus from a field.
      if (this.list.children[at] !== row.element) this.list.insertBefore(row.element, this.list.children[at] ?? null);
      this.show(shot, other, weights.get(other.take.take_id) ?? 0);
    });
  }

  /** Of hundreds of earlier shots, those that matter here: the newest, the marked and the strong. */
  listed(shot, newestFirst, weights) {
    const marked = new Set([...shot.memory.pins, ...shot.memory.forgotten, this.open]);
    const matters = (other, at) => at < MOST_NEWEST || marked.has(other.shot_id)
      || (weights.get(other.take.take_id) ?? 0) >= STRONG_SHARE;
    const some = newestFirst.filter(matters);
    this.all.hidden = some.length === newestFirst.length;
    setText(this.all, this.isWhole ? "Show fewer" : `Show all ${newestFirst.length} earlier shots`);
    return this.isWhole ? newestFirst : some;
  }

  show(shot, other, weight) {
    const row = this.rows.get(other.shot_id);
    const isForgotten = shot.memory.forgotten.includes(other.shot_id);
    const isOver = this.over.has(other.shot_id);
    row.element.classList.toggle("off", isForgotten || isOver);
    setText(row.name, nameOf(other, store.indexOf(other.shot_id)));
    row.thumb.style.backgroundImage = `url("${encodeURI(other.take.strip)}")`;
    row.bar.style.transform = `scaleX(${Math.min(1, weight)})`;
    const kind = this.who.get(other.shot_id) ?? "";
    const [mark, why] = markOf(kind, shot, other);
    row.who.hidden = !mark;
    row.who.className = `who ${kind}`;
    row.who.title = why;
    setText(row.who, mark);
    setText(row.percent, weight ? `${Math.round(100 * weight)} %` : isOver ? "over" : "–");
    this.press(row.pin, shot.memory.pins.includes(other.shot_id), shot.locked);
    this.press(row.forget, isForgotten, shot.locked);
    setText(row.forget, isForgotten ? "Forgotten" : "Forget");
    const isOpen = this.open === other.shot_id;
    row.more.setAttribute("aria-expanded", isOpen);
    row.part.hidden = !isOpen;
    if (isOpen) row.part.show(shot, other);
  }

  press(toggle, isOn, isLocked) {
    toggle.setAttribute("aria-pressed", Boolean(isOn));
    toggle.disabled = Boolean(isLocked);
  }

  make(shotId) {
    const row = {
      thumb: button("", () => this.look(shotId), { class: "thumb", "aria-label": "Show this shot", title: "Move the playhead here" }),
      name: h("span", { class: "clip" }), who: h("span", { class: "who", hidden: true }), bar: h("i", {}),
      percent: h("span", { class: "percent", title: "Share of the attention on memory, measured while the take was made" }),
      pin: button("Pin", () => this.toggle("pins", shotId), { title: "Always read: neither a budget nor a window leaves it out" }),
      forget: button("Forget", () => this.toggle("forgotten", shotId), { title: "Never read this shot here; its picture stays" }),
      more: button("…", () => this.expand(shotId), { title: "Forget frames of it, see what is left, roll again without it", "aria-label": "More" }),
      part: document.createElement("mnemo-forget"),
    };
    row.part.hidden = true;
    row.element = h("div", { class: "one", "data-shot": shotId }, row.thumb,
      h("div", { class: "line" }, h("span", { class: "name clip" }, row.name, row.who), row.percent, h("span", { class: "bar" }, row.bar)),
      h("div", { class: "tools" }, row.pin, row.forget, row.more), row.part);
    this.rows.set(shotId, row);
    return row;
  }

  showPresets(shot, earlier) {
    const { strength, forgotten, pins, hidden = [] } = shot.memory;
    const last = earlier.at(-1)?.shot_id;
    const others = earlier.slice(0, -1).every((other) => forgotten.includes(other.shot_id));
    const isWhole = !forgotten.length && !hidden.length;
    const equals = {
      cut: strength === 0,
      same_place: strength === 1 && others && !forgotten.includes(last) && earlier.length > 1,
      same_character: isWhole && !pins.length && (strength === null || strength === store.engine.info?.strength),
      continuous: isWhole && strength === STRONG && pins.includes(last),
    };
    for (const one of this.presets) this.press(one, equals[one.dataset.preset], shot.locked);
  }

  preset(preset) {
    useMemoryPreset(preset);
  }

  look(shotId) {
    store.seek(store.starts[store.indexOf(shotId)]);
  }

  expand(shotId) {
    this.open = this.open === shotId ? null : shotId;
    this.refresh();
  }

  toggle(list, shotId) {
    const shot = store.focus;
    if (!shot) return;
    // Ids of shots that were deleted since would be refused.
    const known = (ids) => ids.filter((id) => store.indexOf(id) >= 0);
    const memory = { pins: known(shot.memory.pins), forgotten: known(shot.memory.forgotten) };
    const other = list === "pins" ? "forgotten" : "pins";
    if (memory[list].includes(shotId)) memory[list] = memory[list].filter((id) => id !== shotId);
    else {
      memory[list] = [...memory[list], shotId];
      memory[other] = memory[other].filter((id) => id !== shotId);
    }
    store.edit({ kind: "set_memory", shot_id: shot.shot_id, ...memory });
  }

  again() {
    if (store.focus) rollAgain(store.focus.shot_id);
  }
}

customElements.define("mnemo-reads", Reads);
