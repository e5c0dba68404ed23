/** Every take of a shot: pick, rate, compare two of them, throw away, make another one. */

import * as api from "./api.js";
import { madeWords } from "./anchors.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { lengthOf } from "./model.js";
import { store } from "./store.js";
import { panel, sheet } from "./style.js";
import { duration } from "./timecode.js";

const MOST_STARS = 5;
const NOT_SECONDS = new Set(["step", "first_preview", "total"]);

const styles = sheet(`
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
li { display: grid; grid-template-columns: 82px 1fr; gap: 10px; background: var(--mn-raised); border: 1px solid transparent; border-radius: 5px; overflow: hidden; }
li.picked { border-color: var(--mn-accent-line); background: var(--mn-accent-soft); }
li.trashed .tile { filter: grayscale(1); opacity: .5; }
.tile { width: 72px; aspect-ratio: var(--aspect, 1); margin: 10px 0 10px 10px; border-radius: 3px; background: #000 0 0 no-repeat; }
.about { padding: 8px 10px 8px 0; display: grid; gap: 4px; min-width: 0; }
.about b { font-weight: 600; }
.top { display: flex; align-items: center; gap: 8px; justify-content: space-between; }
.actions { display: flex; gap: 3px; flex-wrap: wrap; }
.actions button { min-height: 26px; padding: 2px 7px; font-size: 12px; }
.over { position: sticky; top: -14px; z-index: 5; background: var(--mn-panel); padding: 6px 0; border-bottom: 1px solid var(--mn-line); }
.now { color: var(--mn-accent); font-size: 12px; line-height: 26px; padding-right: 4px; }
.stars { display: inline-flex; }
.stars button { min-height: 22px; padding: 0 1px; border: 0; background: none; color: var(--mn-dim); font-size: 13px; }
.stars button.on { color: var(--mn-warn); }
.ask { display: grid; gap: 6px; border-top: 1px solid var(--mn-line); padding-top: 6px; font-size: 12px; }
.prompt { font-style: italic; }
`);

class Takes extends StudioElement {
  static topics = ["document", "selection", "focus", "project", "takes"];
  static styles = [panel, styles];

  build() {
    this.shown = "";
    this.takes = [];
    this.chosen = { a: null, b: null };
    this.asking = null;
    this.hasTrash = false;
    this.heading = h("h2", { class: "clip" });
    this.trashButton = button("Show trash", () => this.toggleTrash(), { class: "plain" });
    this.ab = document.createElement("mnemo-ab");
    this.comparison = h("section", { class: "over", hidden: true }, this.ab);
    this.again = document.createElement("mnemo-again");
    this.again.hidden = true;
    this.more = button("Make another…", () => this.showAgain(this.again.hidden), { "aria-expanded": "false" });
    this.list = h("ul", { "aria-label": "Takes" });
    this.empty = h("div", { class: "empty" }, h("b", {}, "No takes yet"),
      h("span", {}, "Each time you generate a shot you get a take. Takes are never lost: pick any of them later."));
    this.root.append(h("div", { class: "row" }, h("span", { class: "grow clip" }, this.heading), this.trashButton, this.more),
      this.again, this.comparison, this.list, this.empty);
    store.addEventListener("takes", () => {
      this.shown = "";
    });
  }

  refresh() {
    const shot = store.focus;
    const key = shot ? `${shot.shot_id} ${shot.num_takes} ${shot.take?.take_id}` : "";
    setText(this.heading, shot ? `Takes of ${store.nameOf(shot.shot_id)}` : "Takes");
    this.more.hidden = !shot;
    if (!shot) this.showAgain(false);
    const project = store.document?.project;
    if (project) this.style.setProperty("--aspect", project.width / project.height);
    if (this.isShown && key !== this.shown) this.load(shot, key);
  }

  showAgain(isShown) {
    this.again.hidden = !isShown;
    this.more.setAttribute("aria-expanded", isShown);
    this.again.refresh();
  }

  async load(shot, key) {
    const isSameShot = this.shotId === shot?.shot_id;
    this.shown = key;
    this.shotId = shot?.shot_id;
    if (!isSameShot) Object.assign(this, { chosen: { a: null, b: null }, asking: null });
    const path = `${store.base}/shots/${encodeURIComponent(shot?.shot_id)}/takes`;
    const reply = shot ? await store.ask(() => api.get(path)) : { takes: [] };
    if (!reply || key !== this.shown) return;
    this.takes = reply.takes;
    this.draw();
  }

  /** The takes to be seen, newest first. */
  get seen() {
    const newest = [...this.takes].sort((a, b) => b.number - a.number);
    return this.hasTrash ? newest : newest.filter((take) => !take.trashed);
  }

  draw() {
    const trashed = this.takes.filter((take) => take.trashed).length;
    this.trashButton.hidden = !trashed;
    setText(this.trashButton, this.hasTrash ? "Hide trash" : `Show trash (${trashed})`);
    this.trashButton.setAttribute("aria-pressed", this.hasTrash);
    this.empty.hidden = this.seen.length > 0;
    fill(this.list, this.seen.map((take) => this.row(take)));
    this.again.offer(this.takes.filter((take) => !take.trashed));
    this.showComparison();
  }

  row(take) {
    const name = take.kind === "footage" ? "Footage" : `Take ${take.number}`;
    const shot = store.focus;
    const hasOtherPrompt = take.prompt && shot && take.prompt !== shot.prompt;
    return h("li", { class: `${take.picked ? "picked" : ""} ${take.trashed ? "trashed" : ""}`, "data-take": take.take_id }, this.tile(take),
      h("div", { class: "about" },
        h("div", { class: "top" }, h("b", {}, name), this.stars(take)),
        take.note ? h("span", { class: "warn small" }, take.note) : null,
        h("span", { class: "dim small" }, this.facts(take).join(" · ")),
        madeWords(take.made, take.num_frames).map((words) => h("span", { class: "small" }, words)),
        hasOtherPrompt ? h("span", { class: "dim small clip prompt", title: take.prompt }, take.prompt) : null,
        h("div", { class: "actions" }, ...this.actions(take)),
        this.asking === take.take_id ? this.question(take) : null));
  }

  /** One frame of a take; the pointer over it goes through all of its strip. */
  tile(take) {
    const most = Math.max(1, take.strip_tiles - 1);
    const tile = h("div", { class: "tile", on: {
      pointermove: (event) => show(Math.round((event.offsetX / tile.clientWidth) * most)),
      pointerleave: () => show(0),
    } });
    const show = (index) => {
      tile.style.backgroundPosition = `${(100 * index) / most}% 0`;
    };
    tile.style.backgroundImage = `url("${encodeURI(take.strip)}")`;
    tile.style.backgroundSize = `${100 * take.strip_tiles}% 100%`;
    return tile;
  }

  facts(take) {
    if (take.kind === "footage") return [`${take.num_frames} frames`];
    const seconds = Object.entries(take.seconds ?? {})
      .filter(([name]) => !NOT_SECONDS.has(name)).reduce((sum, [, value]) => sum + value, 0);
    return [
      `seed ${take.seed}`, `${take.num_frames} frames`,
      take.memory_tokens ? `read ${take.memory_tokens.toLocaleString("en")} tokens` : "read no memory",
      seconds ? duration(seconds) : null,
    ].filter(Boolean);
  }

  stars(take) {
    const one = (count) => h("button", {
      type: "button", class: count <= take.rating ? "on" : "", title: `${count} of ${MOST_STARS} stars`,
      "aria-label": `${count} ${count === 1 ? "star" : "stars"}`, "aria-pressed": take.rating === count ? "true" : "false",
      on: { click: () => this.rate(take, take.rating === count ? 0 : count) },
    }, count <= take.rating ? "★" : "☆");
    return h("span", { class: "stars", role: "group", "aria-label": "Rating" },
      Array.from({ length: MOST_STARS }, (_, index) => one(index + 1)));
  }

  actions(take) {
    if (take.trashed) return [button("Restore", () => this.mark(take, "restore"))];
    const side = (name) => button(name.toUpperCase(), () => this.choose(name, take), {
      class: "plain", title: `Compare this take as ${name.toUpperCase()}`,
      "aria-label": `Compare as ${name.toUpperCase()}`,
      "aria-pressed": this.chosen[name]?.take_id === take.take_id ? "true" : "false",
    });
    return [
      take.picked ? h("span", { class: "now" }, "In the cut") : button("Pick", () => this.pick(take)),
      side("a"), side("b"),
      button("Vary…", () => this.vary(take), { class: "plain", title: "Vary this take, or make a range of it anew" }),
      button("Trash", () => this.trash(take), { class: "plain danger" }),
    ];
  }

  vary(take) {
    this.showAgain(true);
    this.again.startFrom(take);
  }

  pick(take) {
    store.edit({ kind: "pick_take", shot_id: store.focus.shot_id, take_id: take.take_id });
  }

  path(take, verb) {
    return `${store.base}/takes/${encodeURIComponent(take.take_id)}/${verb}`;
  }

  async mark(take, verb, body = {}) {
    const reply = await store.ask(() => api.post(this.path(take, verb), body));
    if (reply?.label) {
      store.announce(reply.label);
      await store.load();
    }
    this.shown = "";
    this.refresh();
    return reply;
  }

  rate(take, stars) {
    return this.mark(take, "rating", { stars });
  }

  trash(take) {
    if (take.picked) {
      this.asking = this.asking === take.take_id ? null : take.take_id;
      this.draw();
    } else this.mark(take, "trash");
  }

  /** The cut shows this take: what is shown in its place? */
  question(take) {
    const others = this.takes.filter((one) => !one.trashed && one.take_id !== take.take_id);
    const answer = (body) => {
      this.asking = null;
      this.mark(take, "trash", body);
    };
    return h("div", { class: "ask" },
      h("span", {}, others.length ? "The cut shows this take. Show instead:" : "The cut shows this take, and there is no other."),
      h("div", { class: "actions" },
        others.map((one) => button(one.kind === "footage" ? "Footage" : `Take ${one.number}`, () => answer({ instead: one.take_id }))),
        button("Leave the shot empty", () => answer({ may_leave_empty: true })),
        button("Keep it", () => this.trash(take), { class: "plain" })));
  }

  toggleTrash() {
    this.hasTrash = !this.hasTrash;
    this.draw();
  }

  /** Choose a side of the comparison; the other one is what the cut shows until it is chosen. */
  choose(side, take) {
    const other = side === "a" ? "b" : "a";
    const isOff = this.chosen[side]?.take_id === take.take_id;
    this.chosen[side] = isOff ? null : take;
    if (!isOff && !this.chosen[other]) {
      this.chosen[other] = this.takes.find((one) => one.picked && one.take_id !== take.take_id) ?? null;
    }
    this.draw();
  }

  showComparison() {
    const { a, b } = this.chosen;
    this.comparison.hidden = !a || !b;
    if (this.comparison.hidden) {
      this.ab.stop();
      return;
    }
    const shot = store.focus;
    const start = store.starts[store.indexOf(shot.shot_id)];
    const offset = Math.max(0, Math.min(lengthOf(shot) - 1, store.playhead - start));
    const side = (take, letter) => ({ label: `${letter}: take ${take.number}`, take });
    this.ab.show(side(a, "A"), side(b, "B"), shot.in + offset);
  }
}

customElements.define("mnemo-takes", Takes);
