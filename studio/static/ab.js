/** Any two takes over each other, frame by frame: still, or playing in step. */

import { button, h, setText, StudioElement } from "./dom.js";
import { showFrame } from "./playback.js";
import { store } from "./store.js";
import { sheet } from "./style.js";

const styles = sheet(`
.root { display: grid; gap: 6px; }
.transport { display: grid; grid-template-columns: auto 1fr auto; gap: 8px; align-items: center; }
.transport input { width: 100%; }
`);

class Ab extends StudioElement {
  static topics = ["project"];
  static styles = [styles];

  build() {
    this.pair = null;
    this.frame = 0;
    // Takes are judged by their picture: it gets the place of the picture.
    this.compare = h("mnemo-compare", { large: true });
    this.videos = ["a", "b"].map(() => h("video", { playsinline: true, tabindex: -1 }));
    for (const video of this.videos) video.muted = true;
    this.playButton = button("Play", () => this.toggle());
    this.slider = h("input", {
      type: "range", min: 0, step: 1, value: 0, "aria-label": "Frame of both takes",
      on: { input: () => this.seek(Number(this.slider.value)) },
    });
    this.count = h("span", { class: "mono small dim" });
    this.root.append(this.compare, h("div", { class: "transport" }, this.playButton, this.slider, this.count));
  }

  refresh() {
    if (!this.isShown) this.stop();
  }

  get length() {
    return this.pair ? Math.min(...this.pair.map(({ take }) => take.num_frames)) : 0;
  }

  /** Show two takes: each is `{label, take}`. Begins at `frame`, where both have it. */
  show(a, b, frame) {
    const isSame = this.pair?.[0].take.take_id === a.take.take_id && this.pair[1].take.take_id === b.take.take_id;
    this.pair = [a, b];
    if (!isSame) {
      this.stop();
      this.compare.show(...this.pair.map(({ label }, index) => ({ label, element: this.videos[index] })));
      this.slider.max = this.length - 1;
      this.seek(frame);
    }
  }

  /** Show a frame of both takes; while one is sought only the newest wish counts. */
  async seek(frame) {
    this.frame = Math.max(0, Math.min(this.length - 1, frame));
    if (this.seeking || !this.pair) return;
    this.seeking = true;
    try {
      let shown = -1;
      while (shown !== this.frame) {
        shown = this.frame;
        await Promise.all(this.pair.map(({ take }, index) =>
          showFrame(this.videos[index], take.media, shown, store.rate)));
      }
      this.slider.value = shown;
      setText(this.count, `${shown} / ${this.length - 1}`);
      this.dataset.frame = shown;
    } catch (error) {
      this.stop();
      store.announce(error.message, "bad");
    } finally {
      this.seeking = false;
    }
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  /** Play both by seeking both: two videos that run by themselves drift apart. */
  async play() {
    const token = {};
    this.playing = token;
    setText(this.playButton, "Pause");
    const [numerator, denominator] = store.rate;
    const begun = performance.now() - (this.frame * 1000 * denominator) / numerator;
    while (this.playing === token && this.isConnected) {
      await new Promise(requestAnimationFrame);
      if (this.playing !== token) return;
      const passed = Math.floor(((performance.now() - begun) * numerator) / denominator / 1000);
      const frame = passed % this.length;
      if (frame !== this.frame) await this.seek(frame);
      if (!this.isShown) this.stop();
    }
  }

  stop() {
    this.playing = null;
    if (this.playButton) setText(this.playButton, "Play");
  }
}

customElements.define("mnemo-ab", Ab);
