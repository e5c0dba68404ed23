/** The history: every edit and every take as a tree, its lines by name, and what was deleted. */

import * as api from "./api.js";
import { run } from "./commands.js";
import { button, debounce, fill, h, setText, StudioElement } from "./dom.js";
import { fillLines, makeRow, MOST_COLUMNS, nameDialog, ROW } from "./history_rows.js";
import { store } from "./store.js";
import { dialog, panel, sheet } from "./style.js";
import { ago } from "./timecode.js";
import { historyRows } from "./tree.js";
import { openVersus } from "./versus.js";

// Rows above and below the view that exist too, so that scrolling never shows a gap.
const SPARE = 8;

const styles = sheet(`
.root { gap: 8px; padding-right: 4px; overflow: hidden; }
.scroll { flex: 1; min-height: 120px; overflow: hidden auto; position: relative; scrollbar-gutter: stable; }
ol, ul { list-style: none; margin: 0; padding: 0; }
ol { position: relative; }
ol li { position: absolute; left: 0; right: 0; height: ${ROW}px; display: flex; align-items: center; border-radius: 4px; }
ol li:hover { background: var(--mn-raised); }
.go { all: unset; box-sizing: border-box; flex: 1; min-width: 0; display: flex; align-items: center; gap: 8px; height: ${ROW}px; cursor: pointer; border-radius: 4px; }
.go:focus-visible { outline: 2px solid var(--mn-focus); outline-offset: -2px; }
.more { flex: none; min-height: 26px; opacity: 0; }
li:hover .more, li:focus-within .more, li.head .more { opacity: 1; }
ol svg { flex: none; height: ${ROW}px; color: var(--mn-line-strong); overflow: visible; }
.label { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ahead .label, .other .label { color: var(--mn-dim); }
li.head { background: var(--mn-accent-soft); }
.head .label { color: var(--mn-accent); font-weight: 600; }
.chip { max-width: 90px; display: inline-block; font-size: 11px; line-height: 18px; }
time { color: var(--mn-dim); font-size: 11.5px; white-space: nowrap; }
ol img { width: 26px; height: 26px; border-radius: 3px; object-fit: cover; object-position: left; flex: none; }
details { flex: none; max-height: 38%; overflow: hidden auto; }
summary { cursor: pointer; color: var(--mn-dim); font-size: 12px; }
details li { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) auto auto; gap: 8px; align-items: center; padding: 3px 0 3px 8px; }
details li.current .label { color: var(--mn-accent); font-weight: 600; }
details button { min-height: 24px; padding: 1px 8px; font-size: 12px; }
.deleted li { grid-template-columns: 34px minmax(0, 1fr) auto auto; }
.deleted img, .deleted i { width: 34px; height: 24px; border-radius: 3px; object-fit: cover; object-position: left; background: var(--mn-well); }
.menu { margin: 0; padding: 4px; border: 1px solid var(--mn-line-strong); border-radius: 6px; background: var(--mn-panel); color: var(--mn-text); box-shadow: 0 12px 32px #0009; inset: auto; }
.menu button { display: block; width: 100%; text-align: left; border: 0; background: transparent; }
.ask { padding: 14px 16px; display: grid; gap: 10px; width: 340px; }
`);

class History extends StudioElement {
  static topics = ["document", "history", "project"];
  static styles = [panel, dialog, styles];

  build() {
    this.rows = [];
    this.made = new Map();
    this.marked = null;
    this.read = debounce(() => this.load(), 80);
    this.note = h("span", { class: "dim small grow clip" });
    this.undo = button("Undo", () => run("undo"));
    this.redo = button("Redo", () => run("redo"));
    this.list = h("ol", { "aria-label": "History, newest first", on: { keydown: (event) => this.onKey(event) } });
    this.scroll = h("div", { class: "scroll", on: { scroll: () => this.draw() } }, this.list);
    this.lines = h("ul", { "aria-label": "Branches of the history" });
    this.linesSummary = h("summary", {});
    this.deletedList = h("ul", { "aria-label": "Deleted shots" });
    this.deletedSummary = h("summary", {});
    this.deleted = h("details", { class: "deleted", on: { toggle: () => this.loadDeleted() } }, this.deletedSummary, this.deletedList);
    setText(this.deletedSummary, "Deleted shots");
    this.menu = h("div", { class: "menu", popover: "auto", role: "menu" });
    this.naming = nameDialog();
    this.root.append(h("div", { class: "row" }, this.note, this.undo, this.redo), this.scroll,
      h("details", {}, this.linesSummary, this.lines), this.deleted, this.menu, this.naming.element);
    store.addEventListener("history", ({ detail }) => {
      // A job that begins or ends is no step; the take that it leaves comes with a new revision.
      if (!detail?.what?.startsWith("job_")) this.shown = "";
    });
    new ResizeObserver(() => this.draw()).observe(this.scroll);
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
    this.reply = reply;
    this.rows = historyRows(reply.nodes, reply.head, reply.tip);
    this.rows.forEach((row, index) => {
      row.index = index;
    });
    const deepest = Math.max(0, ...this.rows.map((row) => Math.max(row.column, ...row.through)));
    this.columns = Math.min(1 + deepest, MOST_COLUMNS);
    this.names = new Map();
    for (const { name, head, is_current: isCurrent } of reply.branches) {
      if (!isCurrent) this.names.set(head, [...(this.names.get(head) ?? []), name]);
    }
    const current = reply.branches.find((branch) => branch.is_current);
    const steps = this.rows.length === 1 ? "1 step" : `${this.rows.length} steps`;
    setText(this.note, `${steps} · on ${current.name}`);
    setText(this.linesSummary, reply.branches.length === 1 ? "1 branch" : `${reply.branches.length} branches`);
    fillLines(this.lines, reply.branches, reply.nodes, {
      onSwitch: (branch) => store.step("branches/switch", { name: branch.name }),
      onRename: (branch) => this.rename(branch),
    });
    this.list.style.height = `${this.rows.length * ROW}px`;
    const focused = this.shadowRoot.activeElement?.closest("ol li")?.dataset.node;
    for (const element of this.made.values()) element.remove();
    this.made.clear();
    this.draw();
    this.made.get(focused)?.querySelector("button").focus();
    if (this.deleted.open) this.loadDeleted();
  }

  /** Make the rows in view, and throw those away that left it; one with the focus stays. */
  draw() {
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - SPARE);
    const last = Math.min(this.rows.length, Math.ceil((this.scroll.scrollTop + this.scroll.clientHeight) / ROW) + SPARE);
    const wanted = new Map(this.rows.slice(first, last).map((row) => [row.node.id, row]));
    for (const [id, element] of this.made) {
      if (wanted.has(id) || element.contains(this.shadowRoot.activeElement)) continue;
      element.remove();
      this.made.delete(id);
    }
    for (const [id, row] of wanted) {
      if (this.made.has(id)) continue;
      const element = makeRow(row, {
        columns: this.columns, names: this.names.get(id) ?? [], total: this.rows.length,
        onGo: ({ node, place }) => place !== "head" && store.step("rewind", { node_id: node.id }),
        onMenu: (chosen, anchor) => this.offer(chosen, anchor),
      });
      this.made.set(id, element);
      // In their order, so that the Tab key goes down the list.
      const after = [...this.list.children].find((other) => Number(other.ariaPosInSet) > row.index + 1);
      this.list.insertBefore(element, after ?? null);
    }
  }

  onKey(event) {
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[event.key];
    const here = event.target.closest("li");
    if (!step || !here) return;
    event.preventDefault();
    event.stopPropagation();
    const at = Math.max(0, Math.min(this.rows.length - 1, Number(here.ariaPosInSet) - 1 + step));
    const top = at * ROW;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (top + ROW > this.scroll.scrollTop + this.scroll.clientHeight) this.scroll.scrollTop = top + ROW - this.scroll.clientHeight;
    this.draw();
    this.made.get(this.rows[at].node.id)?.querySelector("button").focus();
  }

  offer({ node, place }, anchor) {
    const item = (label, act) => button(label, () => {
      this.menu.hidePopover();
      act();
    }, { role: "menuitem" });
    const marked = this.marked && this.marked !== node.id ? this.marked : null;
    fill(this.menu,
      place === "head" ? null : item("Go here", () => store.step("rewind", { node_id: node.id })),
      item("Branch here…", () => this.branch(node)),
      item("Name this point…", () => this.namePoint(node)),
      place === "head" ? null : item("Compare with the cut", () => openVersus(store.document.node_id, node.id)),
      marked ? item("Compare with the marked point", () => openVersus(marked, node.id)) : null,
      item(this.marked === node.id ? "Take the mark away" : "Mark for comparing", () => {
        this.marked = this.marked === node.id ? null : node.id;
        if (this.marked) store.announce("Marked. Open the menu of another step to compare the two.");
      }));
    const box = anchor.getBoundingClientRect();
    this.menu.showPopover();
    const { offsetWidth: width, offsetHeight: height } = this.menu;
    this.menu.style.left = `${Math.max(8, box.right - width)}px`;
    this.menu.style.top = `${Math.min(box.bottom, innerHeight - height - 8)}px`;
    this.menu.querySelector("button").focus();
  }

  async branch(node) {
    const words = "Work goes on from here on a branch of its own. The branch you are on keeps everything, and you can go back to it.";
    const name = await this.naming.ask("Branch here", words, "");
    if (name) await store.step("branches", { name, node_id: node.id });
  }

  async namePoint(node) {
    const name = await this.naming.ask("Name this point", "You stay where you are; the point is listed among the branches.", node.label);
    if (name) await store.ask(() => api.post(`${store.base}/branches`, { name, node_id: node.id, go: false }));
  }

  async rename(branch) {
    const name = await this.naming.ask("Rename the branch", "", branch.name);
    if (name) await store.ask(() => api.post(`${store.base}/branches/rename`, { name: branch.name, new_name: name }));
  }

  async loadDeleted() {
    if (!this.deleted.open) return;
    const asked = store.projectId;
    const reply = await store.ask(() => api.get(`${store.base}/deleted`));
    if (!reply || asked !== store.projectId) return;
    setText(this.deletedSummary, `Deleted shots (${reply.shots.length})`);
    if (!reply.shots.length) fill(this.deletedList, h("li", {}, h("i", {}), h("span", { class: "dim small" }, "No shot was deleted on this branch.")));
    else fill(this.deletedList, reply.shots.map((shot) => this.deletedRow(shot)));
  }

  deletedRow(shot) {
    const picture = shot.take ? h("img", { src: shot.take.strip, alt: "" }) : h("i", {});
    return h("li", { "data-shot": shot.shot_id, title: shot.prompt }, picture,
      h("span", { class: "label" }, shot.prompt ? `${shot.name} · ${shot.prompt}` : shot.name),
      h("time", { datetime: shot.deleted_at }, ago(shot.deleted_at)),
      button("Restore", () => store.step("graft", { node_id: shot.node_id, shot_id: shot.shot_id, verb: "restore" })));
  }
}

customElements.define("mnemo-history", History);
