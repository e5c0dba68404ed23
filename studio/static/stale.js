/** How stale the shot in focus is and why; take it as it is, or make again what changed. */

import * as api from "./api.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

const styles = sheet(`
:host { height: auto; }
.root { height: auto; display: grid; gap: 8px; border-left: 3px solid var(--mn-warn); background: var(--mn-well); padding: 8px 10px; border-radius: 4px; font-size: 12.5px; }
.head { display: flex; align-items: baseline; gap: 8px; }
.head b { font: 600 15px var(--mn-mono); color: var(--mn-warn); }
ul { margin: 0; padding-left: 16px; color: var(--mn-dim); }
.row { flex-wrap: wrap; }
.above { display: grid; grid-template-columns: auto 1fr 44px; gap: 8px; align-items: center; color: var(--mn-dim); }
.above output { font-family: var(--mn-mono); text-align: right; }
button { min-height: 26px; padding: 2px 10px; font-size: 12px; }
`);

const MEANING = "Share of what its take was made from that would be different now. 0 = nothing, 100 % = all of it.";

/** A grade as an editor reads it; what differs at all is never shown as 0 %. */
export function percent(grade) {
  return `${Math.max(grade > 0 ? 1 : 0, Math.round(100 * grade))} %`;
}

/** Why a shot is stale, in one line; empty where it is fresh. */
export function staleText(shot) {
  if (!shot.stale) return "";
  return `Stale ${percent(shot.grade ?? 1)}: ${(shot.changes ?? []).join("; ")}. ${MEANING}`;
}

/** Make the shots again, in order, that are stale above the threshold. */
export async function updateChanged() {
  const reply = await store.ask(() => api.post(`${store.base}/update`));
  if (reply && !reply.jobs.length) store.announce("Nothing is stale above the threshold.");
  if (reply) await store.load();
  return reply;
}

/** Take the stale ones of the shots `ids` as they are. */
export function acceptStale(ids) {
  const stale = ids.filter((id) => {
    const shot = store.shots[store.indexOf(id)];
    return shot?.stale && !shot.locked;
  });
  if (!stale.length) store.announce("None of the selected shots is stale.");
  else store.edit({ kind: "accept", shot_ids: stale });
}

/** Make one more take of a shot with the seed of the one it shows: only what it reads differs. */
export async function rollAgain(shotId) {
  await store.idle();
  const shot = store.shots[store.indexOf(shotId)];
  if (!shot?.take || shot.take.kind === "footage" || shot.locked) {
    store.announce(shot?.locked ? "The shot is locked: it keeps its take." : "There is no generated take to roll again.", "bad");
    return;
  }
  const body = { shot_ids: [shotId], seed: shot.take.seed };
  if (await store.ask(() => api.post(`${store.base}/generate`, body))) await store.load();
}

class Stale extends StudioElement {
  static topics = ["document", "selection", "focus"];
  static styles = [styles];

  build() {
    this.value = h("b", { title: MEANING });
    this.why = h("ul", {});
    this.accept = button("Accept as is", () => this.take(), {
      title: "Keep this take: what it would read now counts as what it read. Undo takes it back.",
    });
    this.update = button("Update what changed", () => updateChanged());
    this.slider = h("input", {
      type: "range", min: 0, max: 0.95, step: 0.01, "aria-label": "Update shots above this grade",
      on: { input: () => this.showLimit(Number(this.slider.value)), change: () => this.keep() },
    });
    this.limit = h("output", {});
    this.root.append(h("div", { class: "head" }, this.value, h("span", {}, "of what it was made from differs")),
      this.why, h("div", { class: "row" }, this.accept, this.update),
      h("label", { class: "above", title: "Shots below this grade keep their takes" }, "Update above", this.slider, this.limit));
  }

  refresh() {
    const shot = store.focus;
    if (!shot?.stale) return;
    const update = store.document.update ?? { threshold: 0, shots: [] };
    setText(this.value, percent(shot.grade ?? 1));
    fill(this.why, (shot.changes ?? []).map((text) => h("li", {}, text)));
    this.accept.disabled = Boolean(shot.locked);
    const count = update.shots.length;
    setText(this.update, count ? `Update what changed (${count})` : "Update what changed");
    this.update.disabled = !count;
    this.update.title = count
      ? `Makes ${update.shots.map(({ shot_id: id }) => store.nameOf(id)).join(", ")} again, in order, with the same seeds`
      : "No shot is stale above the threshold";
    if (!this.slider.matches(":active")) {
      this.slider.value = update.threshold;
      this.showLimit(update.threshold);
    }
  }

  showLimit(value) {
    setText(this.limit, `${Math.round(100 * value)} %`);
  }

  take() {
    const shot = store.focus;
    if (shot) store.edit({ kind: "accept", shot_ids: [shot.shot_id] });
  }

  async keep() {
    const threshold = Number(this.slider.value);
    await store.ask(() => api.post(`${store.base}/update/threshold`, { threshold }));
    await store.load();
  }
}

customElements.define("mnemo-stale", Stale);
