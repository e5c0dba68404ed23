/** What a shot reads from memory: every earlier take, how much it fed, and leaving one out. */

import { button, h, setText, StudioElement } from "./dom.js";
import { nameOf } from "./model.js";
import { sheet } from "./style.js";
import { store } from "./store.js";

const styles = sheet(`
:host { height: auto; }
.root { display: grid; gap: 6px; border-top: 1px solid var(--mn-line); padding-top: 14px; height: auto; }
.one { display: grid; grid-template-columns: minmax(0, 1fr) 72px 36px 84px; gap: 8px; align-items: center; font-size: 12px; }
.one.forgotten .name { color: var(--mn-faint); text-decoration: line-through; }
.percent { text-align: right; font-variant-numeric: tabular-nums; color: var(--mn-dim); }
button { min-height: 24px; padding: 1px 6px; font-size: 12px; }
`);

class Reads extends StudioElement {
  static topics = ["document", "selection", "playhead", "project"];
  static styles = [styles];

  build() {
    this.rows = new Map();
    this.list = h("div", { style: { display: "grid", gap: "4px" } });
    this.root.append(h("h3", {}, "Reads from memory"), this.list);
  }

  refresh() {
    const shot = store.focus;
    const index = shot ? store.indexOf(shot.shot_id) : -1;
    const isReader = shot && shot.take?.kind !== "footage" && shot.memory.system !== "none";
    const earlier = isReader ? store.shots.slice(0, index).filter((other) => other.take && !other.muted) : [];
    this.hidden = !earlier.length;
    const weights = new Map((shot?.take?.sources ?? []).map(({ take_id: id, weight }) => [id, weight]));
    const forgotten = new Set(shot?.memory.forgotten ?? []);
    const seen = new Set(earlier.map((other) => other.shot_id));
    for (const [id, row] of this.rows) {
      if (seen.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    for (const other of earlier) {
      const row = this.rows.get(other.shot_id) ?? this.make(other.shot_id);
      this.list.append(row.element);
      const isForgotten = forgotten.has(other.shot_id);
      row.element.classList.toggle("forgotten", isForgotten);
      setText(row.name, nameOf(other, store.indexOf(other.shot_id)));
      const weight = weights.get(other.take.take_id) ?? 0;
      row.bar.style.transform = `scaleX(${Math.min(1, weight)})`;
      setText(row.percent, weight ? `${Math.round(100 * weight)} %` : "–");
      row.toggle.setAttribute("aria-pressed", isForgotten);
      setText(row.toggle, isForgotten ? "Forgotten" : "Forget");
      row.toggle.disabled = Boolean(shot.locked);
    }
  }

  make(shotId) {
    const row = {
      name: h("span", { class: "name clip" }), bar: h("i", {}), percent: h("span", { class: "percent", title: "Share of what its take read" }),
      toggle: button("Forget", () => this.toggle(shotId), { title: "Leave this shot out of what the shot reads; its picture stays" }),
    };
    row.element = h("div", { class: "one" }, row.name, h("span", { class: "bar" }, row.bar), row.percent, row.toggle);
    this.rows.set(shotId, row);
    return row;
  }

  toggle(shotId) {
    const shot = store.focus;
    if (!shot) return;
    const forgotten = new Set(shot.memory.forgotten ?? []);
    if (!forgotten.delete(shotId)) forgotten.add(shotId);
    // Ids of shots that were deleted since would be refused.
    const known = (ids) => [...ids].filter((id) => store.indexOf(id) >= 0);
    store.edit({
      kind: "set_memory", shot_id: shot.shot_id, pins: known(shot.memory.pins ?? []), forgotten: known(forgotten),
    });
  }
}

customElements.define("mnemo-reads", Reads);
