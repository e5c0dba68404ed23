/** Part of an earlier shot: forget frames of it, roll again without it, and see what is left. */

import * as api from "./api.js";
import { button, fill, h, setText, StudioElement } from "./dom.js";
import { finished } from "./jobs.js";
import { rollAgain } from "./stale.js";
import { sheet } from "./style.js";
import { store } from "./store.js";

const styles = sheet(`
:host { height: auto; }
:host([hidden]) { display: none; }
.root { height: auto; display: grid; gap: 8px; background: var(--mn-well); border-radius: 4px; padding: 8px; font-size: 12px; }
.range { display: flex; gap: 6px; align-items: center; flex-wrap: wrap; }
.range input { width: 58px; min-height: 24px; padding: 1px 4px; }
button { min-height: 24px; padding: 1px 8px; font-size: 12px; }
.chip button { min-height: 18px; padding: 0 4px; border: 0; background: none; }
.both { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 6px; }
figure { margin: 0; display: grid; gap: 3px; }
figure img { width: 100%; border-radius: 3px; display: block; }
figcaption { color: var(--mn-dim); font-size: 11px; }
`);

class Forget extends StudioElement {
  static topics = [];
  static styles = [styles];

  build() {
    this.from = h("input", { type: "number", min: 0, "aria-label": "First frame to forget" });
    this.to = h("input", { type: "number", min: 0, "aria-label": "Last frame to forget" });
    this.add = button("Forget these frames", () => this.forget());
    this.parts = h("div", { class: "row" });
    this.without = button("Exclude and roll again", () => this.exclude(), {
      title: "Leave this shot out and make one more take with the same seed",
    });
    this.prove = button("What is left of it?", () => this.compare(), {
      title: "Recall a frame from all of memory, and from what this shot reads",
    });
    this.proof = h("div", { class: "both" });
    this.said = h("div", { class: "dim", role: "status" });
    this.root.append(h("div", { class: "range" }, h("span", {}, "Frames"), this.from, h("span", {}, "to"), this.to, this.add),
      this.parts, h("div", { class: "row" }, this.prove, this.without), this.proof, this.said);
  }

  /** Bring up to date: `reader` forgets parts of `other`. */
  show(reader, other) {
    const isNew = this.other?.shot_id !== other.shot_id || this.reader?.shot_id !== reader.shot_id;
    Object.assign(this, { reader, other });
    if (isNew) {
      this.from.value = other.in;
      this.to.value = Math.min(other.take.num_frames - 1, other.out - 1);
      fill(this.proof);
      setText(this.said, "");
    }
    for (const input of [this.from, this.to]) input.max = other.take.num_frames - 1;
    for (const control of [this.add, this.without]) control.disabled = Boolean(reader.locked);
    this.without.disabled ||= !reader.take;
    const mine = (reader.memory.hidden ?? []).filter(([id]) => id === other.shot_id);
    fill(this.parts, mine.map(([, start, after]) => h("span", { class: "chip" }, `${start}–${after - 1} forgotten`,
      button("×", () => this.restore(start, after), { title: "Remember these frames again", "aria-label": "Remember again" }))));
    this.parts.hidden = !mine.length;
  }

  send(parts) {
    store.edit({
      kind: "forget_frames", shot_id: this.reader.shot_id,
      parts: parts.filter(([id]) => store.indexOf(id) >= 0).map(([id, start, after]) => ({ shot_id: id, start, after })),
    });
  }

  forget() {
    const [start, last] = [Number(this.from.value), Number(this.to.value)];
    if (!(start >= 0 && last >= start && last < this.other.take.num_frames)) {
      store.announce(`Frames ${start} to ${last}. Expected 0 to ${this.other.take.num_frames - 1}, in order.`, "bad");
      return;
    }
    this.send([...(this.reader.memory.hidden ?? []), [this.other.shot_id, start, last + 1]]);
  }

  restore(start, after) {
    const isThis = ([id, a, b]) => id === this.other.shot_id && a === start && b === after;
    this.send((this.reader.memory.hidden ?? []).filter((part) => !isThis(part)));
  }

  async exclude() {
    const { reader, other } = this;
    const known = (ids) => ids.filter((id) => store.indexOf(id) >= 0 && id !== other.shot_id);
    store.edit({
      kind: "set_memory", shot_id: reader.shot_id, pins: known(reader.memory.pins),
      forgotten: [...known(reader.memory.forgotten), other.shot_id],
    });
    await rollAgain(reader.shot_id);
  }

  /** Recall one frame twice: from everything, and from what the reader reads. */
  async compare() {
    const { reader, other } = this;
    const [part] = (reader.memory.hidden ?? []).filter(([id]) => id === other.shot_id);
    const middle = part ? Math.floor((part[1] + part[2] - 1) / 2) : Math.floor((other.in + other.out) / 2);
    const shown = Math.max(other.in, Math.min(other.out - 1, middle));
    const frame = store.starts[store.indexOf(other.shot_id)] + shown - other.in;
    setText(this.said, `Recalling frame ${shown}…`);
    this.prove.disabled = true;
    const found = await store.ask(async () => {
      const ask = async (who) => (await finished((await api.post(`${store.base}/recall`, { frame, ...who })).job));
      await store.idle();
      return { before: await ask({}), after: await ask({ reader: reader.shot_id }) };
    });
    this.prove.disabled = false;
    if (!found) setText(this.said, "");
    else this.showProof(found.before, found.after, shown);
  }

  showProof(before, after, frame) {
    const failed = [before, after].find((job) => job.state !== "done");
    if (failed) {
      setText(this.said, failed.error?.message ?? "The recall was stopped.");
      return;
    }
    const score = ({ psnr }) => (psnr === null ? "nothing" : `${psnr.toFixed(1)} dB`);
    const picture = (address, label) => h("figure", {},
      address ? h("img", { src: address, alt: label }) : h("div", { class: "dim" }, "No picture"), h("figcaption", {}, label));
    fill(this.proof, picture(before.result.real, "Real"),
      picture(before.result.recalled, `All of memory: ${score(before.result)}`),
      picture(after.result.recalled, `This shot: ${score(after.result)}`));
    setText(this.said, `Frame ${frame}. ${after.result.note || "This shot reads all that memory has of it."}`);
  }
}

customElements.define("mnemo-forget", Forget);
