/** The player: the exact frame at the playhead, what is being made, and the transport. */

import { run, titled } from "./commands.js";
import { button, fill, h, icon, setText, StudioElement } from "./dom.js";
import { chooseFootage } from "./footage.js";
import { nameOf } from "./model.js";
import { dragFrame } from "./pins.js";
import { Playback } from "./playback.js";
import { go } from "./route.js";
import "./samples.js";
import { store } from "./store.js";
import { openStoryboard } from "./storyboard.js";
import { sheet } from "./style.js";
import { jobText } from "./timeline_shots.js";

const ICONS = {
  previousCut: "M4 3v10M13 3 6 8l7 5z", previousFrame: "M10.5 3.5 6 8l4.5 4.5", nextFrame: "M5.5 3.5 10 8l-4.5 4.5",
  nextCut: "M12 3v10M3 3l7 5-7 5z", play: "M4.5 2.5v11l9-5.5z", pause: "M5 3v10M11 3v10",
};

const styles = sheet(`
:host { height: 100%; min-height: 0; }
.root { display: flex; flex-direction: column; background: var(--mn-page); }
.stage { flex: 1; min-height: 0; position: relative; padding: 16px; container-type: size; display: grid; place-items: center; overflow: hidden; }
.screen { position: relative; background: #000; overflow: hidden; width: min(100cqw, 100cqh * var(--aspect, 1)); aspect-ratio: var(--aspect, 1); }
video, .preview { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; visibility: hidden; }
video.on, .preview[src] { visibility: visible; }
.draft { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 14px; text-align: center; padding: 24px; background: repeating-linear-gradient(135deg, var(--mn-stripe) 0 14px, var(--mn-stripe-other) 14px 28px); }
.draft p { max-width: 46ch; color: var(--mn-dim); overflow-wrap: anywhere; display: -webkit-box; -webkit-line-clamp: 5; -webkit-box-orient: vertical; overflow: hidden; }
.tag { position: absolute; left: 10px; top: 10px; background: var(--mn-scrim); color: var(--mn-on-scrim); padding: 2px 9px; border-radius: 4px; font-size: 12px; display: inline-flex; gap: 8px; align-items: center; max-width: calc(100% - 20px); }
.making { position: absolute; right: 16px; top: 16px; width: 128px; background: var(--mn-panel); border: 1px solid var(--mn-line-strong); border-radius: 6px; padding: 0; display: grid; overflow: hidden; min-height: 0; gap: 0; }
.making img { width: 100%; aspect-ratio: var(--aspect, 1); object-fit: cover; background: var(--mn-well); display: block; }
.making img:not([src]) { visibility: hidden; }
.making span { font-size: 11px; padding: 4px 8px; text-align: left; white-space: normal; }
.making .bar { border-radius: 0; height: 3px; }
.blank { display: grid; justify-items: center; gap: 14px; text-align: center; width: min(760px, 96cqw); max-height: 100cqh; overflow: auto; }
.blank mnemo-samples { width: 100%; }
@container (max-height: 430px) { .blank { gap: 9px; } .blank p { display: none; } }
.blank h2 { font-size: 18px; letter-spacing: -.01em; }
.blank p { color: var(--mn-dim); line-height: 1.6; }
.blank .row { flex-wrap: wrap; justify-content: center; }
.transport { display: grid; grid-template-columns: 1fr auto 1fr; align-items: center; height: 44px; padding: 0 14px; flex: none; gap: 12px; }
.transport .keys { display: flex; gap: 2px; }
.transport .keys button { width: 34px; padding: 0; }
.transport .right { text-align: right; }
`);

class Player extends StudioElement {
  static topics = ["document", "playhead", "jobs", "preview", "project"];
  static styles = [styles];

  build() {
    const video = () => h("video", { muted: true, playsinline: true, preload: "auto", tabindex: -1 });
    this.videos = [video(), video()];
    for (const one of this.videos) one.muted = true;
    this.preview = h("img", { class: "preview", alt: "" });
    this.draftText = h("p", {});
    this.draftButton = button("Generate this shot", () => run("generate"), { class: "primary" });
    this.draft = h("div", { class: "draft", hidden: true }, this.draftText, this.draftButton);
    this.tagSpin = h("i", { class: "spin" });
    this.tagText = h("span", { class: "clip" });
    this.tag = h("div", { class: "tag", hidden: true }, this.tagSpin, this.tagText);
    this.screen = h("div", { class: "screen", hidden: true }, ...this.videos, this.preview, this.draft, this.tag);
    this.blank = h("div", { class: "blank", hidden: true });
    this.buildMaking();
    this.stage = h("div", { class: "stage" }, this.screen, this.blank, this.making);
    this.left = h("span", { class: "clip" });
    this.right = h("span", { class: "right dim clip mono small" });
    this.root.append(this.stage, this.buildTransport());
    this.playback = new Playback(this.videos, (error) => this.onPlayback(error));
    dragFrame(this.screen, () => this.playback.video);
    store.addEventListener("project", () => this.stop());
  }

  buildMaking() {
    this.makingImage = h("img", { alt: "" });
    this.makingText = h("span", {});
    this.makingBar = h("i", {});
    this.making = h("button", {
      class: "making", type: "button", hidden: true, on: { click: () => this.goToMaking() },
    }, this.makingImage, h("div", { class: "bar" }, this.makingBar), this.makingText);
  }

  buildTransport() {
    const key = (command, label) => titled(h("button", {
      type: "button", class: "plain", on: { click: () => run(command) },
    }, icon(ICONS[command])), label, command);
    this.playButton = key("play", "Play");
    return h("div", { class: "transport" }, this.left, h("div", { class: "keys", role: "toolbar", "aria-label": "Transport" },
      key("previousCut", "Previous cut"), key("previousFrame", "One frame back"), this.playButton,
      key("nextFrame", "One frame on"), key("nextCut", "Next cut")), this.right);
  }

  toggle() {
    this.playback.toggle();
  }

  shuttle(direction) {
    this.playback.shuttle(direction);
  }

  stop() {
    this.playback?.stop();
  }

  onPlayback(error) {
    const isPlaying = this.playback.rate !== 0;
    // Told after every frame that a hand drags over: the button changes only with playing.
    if (isPlaying !== this.isPlaying) {
      this.isPlaying = isPlaying;
      fill(this.playButton, icon(isPlaying ? ICONS.pause : ICONS.play));
      this.playButton.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    }
    this.dataset.settled = isPlaying ? "" : store.playhead;
    if (error) store.announce(error.message, "bad");
  }

  refresh() {
    const { current, document: cut } = store;
    this.style.setProperty("--aspect", cut ? cut.project.width / cut.project.height : 1);
    this.screen.hidden = !current;
    this.blank.hidden = Boolean(current);
    if (!current) this.showBlank(cut);
    else this.showShot(current);
    this.showMaking(current);
    this.playback.show();
  }

  showBlank(cut) {
    setText(this.left, "");
    setText(this.right, "");
    const state = store.projectMessage || (cut ? store.projectId : "loading");
    if (this.blankState === state) return;
    this.blankState = state;
    if (store.projectMessage) {
      fill(this.blank, h("h2", {}, "This film cannot be opened"), h("p", {}, store.projectMessage),
        button("All films", () => go("")));
    } else if (!cut) fill(this.blank, h("span", { class: "spin" }));
    else {
      fill(this.blank, h("h2", {}, "Begin your film"),
        h("p", {}, "Say what happens in the first shot, then make it. Every later shot remembers what came before."),
        h("div", { class: "row" },
          button("Write the first shot", () => run("insertAfter"), { class: "primary" }),
          button("Several shots at once…", () => openStoryboard()),
          button("Import video…", () => chooseFootage())),
        h("p", { class: "or" }, "Or begin with a sample:"), document.createElement("mnemo-samples"));
    }
  }

  showShot({ shot, index, offset }) {
    const job = store.jobOf(shot.shot_id);
    const preview = store.previews.get(shot.shot_id)?.jpeg;
    const isMade = this.playback.rate === 0 && job && preview;
    if (isMade) {
      if (this.preview.getAttribute("src") !== preview) this.preview.src = preview;
    } else this.preview.removeAttribute("src");
    this.draft.hidden = Boolean(shot.take) || Boolean(isMade);
    setText(this.draftText, shot.prompt || "No prompt yet.");
    this.draftButton.hidden = Boolean(job);
    this.draftButton.disabled = !shot.prompt || store.engine.state === "failed";
    const tag = job ? `${shot.take ? "New take" : "Generating"}: ${jobText(job)}` : "";
    this.tag.hidden = !tag && !shot.muted;
    this.tagSpin.hidden = !job;
    setText(this.tagText, tag || "Muted: left out of picture and memory");
    const take = shot.take ? ` · ${shot.take.kind === "footage" ? "footage" : `take ${shot.take.number}`}` : "";
    setText(this.left, `${nameOf(shot, index)}${take}`);
    const [numerator, denominator] = store.rate;
    const rate = Math.round((100 * numerator) / denominator) / 100;
    setText(this.right, `frame ${shot.in + offset} · ${rate} fps`);
  }

  /** A shot that is being made elsewhere in the film, small in the corner. */
  showMaking(current) {
    const job = [...store.jobs.values()].find((one) => one.kind === "generate" && one.state === "running");
    this.makingId = job && job.shot_id !== current?.shot.shot_id ? job.shot_id : null;
    this.making.hidden = !this.makingId || store.indexOf(this.makingId) < 0;
    if (this.making.hidden) return;
    const jpeg = store.previews.get(job.shot_id)?.jpeg;
    if (jpeg && this.makingImage.getAttribute("src") !== jpeg) this.makingImage.src = jpeg;
    if (!jpeg) this.makingImage.removeAttribute("src");
    setText(this.makingText, `${store.nameOf(job.shot_id)}: ${jobText(job)}`);
    this.makingBar.style.transform = `scaleX(${job.done ?? 0})`;
  }

  goToMaking() {
    const index = store.indexOf(this.makingId);
    if (index >= 0) store.seek(store.starts[index]);
  }
}

customElements.define("mnemo-player", Player);
