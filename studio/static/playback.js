/** Exact frames and playing across cuts: two videos, one shown while the other gets ready. */

import { clips } from "./clips.js";
import { store } from "./store.js";

const FASTEST = 8;
// A swap of the videos takes about this long, so the wait on a shot's last frame ends earlier.
const SWAP_MS = 12;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const once = (target, type) => new Promise((resolve, reject) => {
  const listeners = new AbortController();
  target.addEventListener(type, () => {
    listeners.abort();
    resolve();
  }, { signal: listeners.signal });
  target.addEventListener("error", () => {
    listeners.abort();
    reject(new Error("This take cannot be played by the browser."));
  }, { signal: listeners.signal });
});

// A seek to the middle of a frame cannot land on a neighbour; playing begins nearer to its start,
// so that the first frame of a shot gets its time.
const MIDDLE = 0.5;
const START = 0.1;

// What each video was asked for last: a slower load of something else must not replace it.
const newest = new WeakMap();

/**
 * Load `media` into `video` and show `frame` of it; returns when that frame is on screen, or false
 * when the video was asked for something else meanwhile. `part` is where inside of the frame the
 * video stands.
 */
export async function showFrame(video, media, frame, rate, part = MIDDLE) {
  const wish = {};
  newest.set(video, wish);
  if (video.dataset.media !== media) {
    const address = await clips.get(media);
    if (newest.get(video) !== wish) return false;
    video.dataset.media = media;
    video.src = address;
  }
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) await once(video, "loadeddata");
  if (newest.get(video) !== wish) return false;
  const wanted = ((frame + part) * rate[1]) / rate[0];
  if (Math.abs(video.currentTime - wanted) < 1e-4) return true;
  video.currentTime = wanted;
  await once(video, "seeked");
  return newest.get(video) === wish;
}

/** The picture at the playhead, still or moving. */
export class Playback {
  rate = 0;
  /** Frame of the cut that is on screen; null while it is being found. */
  settled = null;
  #front;
  #back;
  #token = null;
  #seeking = false;
  /** What the other video is getting ready for while this one plays. */
  #next = null;

  /** `onChange` is told when playing starts or stops, and what went wrong. */
  constructor(videos, onChange) {
    [this.#front, this.#back] = videos;
    this.onChange = onChange;
  }

  /** The video on screen, or null over a shot without a take. */
  get video() {
    return this.#front.classList.contains("on") ? this.#front : null;
  }

  /** Show the frame at the playhead. While one is sought only the newest wish is remembered. */
  async show() {
    if (this.rate || this.#seeking) return;
    this.#seeking = true;
    try {
      while (!this.rate && this.settled !== this.#wish()) {
        const wish = this.#wish();
        await this.#seek();
        if (!this.rate) this.settled = wish;
      }
      this.onChange(null);
    } catch (error) {
      this.#hide();
      this.settled = this.#wish();
      this.onChange(error);
    } finally {
      this.#seeking = false;
    }
  }

  #wish() {
    const here = store.current;
    if (!here) return "nothing";
    return `${store.playhead} ${here.shot.take?.media ?? ""} ${here.shot.in + here.offset}`;
  }

  async #seek() {
    const here = store.current;
    if (!here?.shot.take) {
      this.#hide();
      return;
    }
    const { take } = here.shot;
    const frame = here.shot.in + here.offset;
    const isSame = this.#front.dataset.media === take.media;
    const { rate } = this;
    const isShown = await showFrame(isSame ? this.#front : this.#back, take.media, frame, store.rate);
    // Playing began meanwhile: what is on screen is its business now.
    if (!isShown || this.rate !== rate) return;
    if (!isSame) this.#swap();
    this.#front.classList.add("on");
  }

  #swap() {
    [this.#front, this.#back] = [this.#back, this.#front];
    this.#back.classList.remove("on");
  }

  #hide() {
    this.#front.classList.remove("on");
    this.#back.classList.remove("on");
  }

  toggle() {
    if (this.rate) this.stop();
    else this.play(1);
  }

  /** J and L: play in a direction; again = twice as fast. */
  shuttle(direction) {
    const isSame = Math.sign(this.rate) === direction;
    this.play(isSame ? direction * Math.min(FASTEST, Math.abs(this.rate) * 2) : direction);
  }

  stop() {
    if (!this.rate) return;
    this.rate = 0;
    this.#token = null;
    this.#next = null;
    this.#front.pause();
    this.#back.pause();
    this.settled = null;
    this.onChange(null);
    this.show();
  }

  async play(rate) {
    if (!store.shots.length) return;
    if (rate > 0 && this.rate > 0) {
      this.rate = rate;
      this.#front.playbackRate = rate;
      return;
    }
    this.#front.pause();
    this.rate = rate;
    const token = {};
    this.#token = token;
    this.onChange(null);
    const { start, end } = this.#span();
    if (rate > 0 && (store.playhead >= end - 1 || store.playhead < start)) store.seek(start);
    try {
      if (rate < 0) await this.#backwards(token);
      else await this.#forwards(token);
    } catch (error) {
      // Stopping interrupts a video that was about to play: that is no failure.
      if (this.#isLive(token)) this.onChange(error);
    }
    if (this.#isLive(token)) this.stop();
  }

  #span() {
    if (!store.loop) return { start: 0, end: store.total };
    return { start: store.range.in ?? 0, end: (store.range.out ?? store.total - 1) + 1 };
  }

  #isLive(token) {
    return this.#token === token;
  }

  async #forwards(token) {
    while (this.#isLive(token)) {
      const { start, end } = this.#span();
      const here = store.current;
      const stop = Math.min(end, store.starts[here.index + 1]);
      if (here.shot.muted) await Promise.resolve();
      else if (here.shot.take) await this.#playTake(here, stop, token);
      else await this.#playGap(stop, token);
      if (!this.#isLive(token)) return;
      if (stop < end) store.seek(stop);
      else if (store.loop) store.seek(start);
      else return;
      if (here.shot.muted && !store.shots.some((shot) => !shot.muted)) return;
    }
  }

  async #playTake(here, stop, token) {
    const { take } = here.shot;
    const frame = here.shot.in + here.offset;
    await this.#bring(take.media, frame, token);
    if (!this.#isLive(token)) return;
    const video = this.#front;
    video.classList.add("on");
    video.playbackRate = this.rate;
    await video.play();
    this.#prepare(stop);
    const first = store.starts[here.index] - here.shot.in;
    await this.#watch(video, first, stop, token);
    if (this.#isLive(token)) video.pause();
  }

  /** Follow the frames that `video` shows until the last one before `stop` has had its time. */
  async #watch(video, first, stop, token) {
    const [numerator, denominator] = store.rate;
    let hasEnded = false;
    await new Promise((resolve) => {
      const end = () => {
        hasEnded = true;
        resolve();
      };
      const onFrame = (now, { mediaTime }) => {
        // A late frame must not pull the playhead back into a shot that it has left.
        if (hasEnded || !this.#isLive(token)) return resolve();
        const frame = first + Math.round((mediaTime * numerator) / denominator - 0.25);
        store.seek(Math.min(stop - 1, Math.max(store.playhead, frame)));
        if (frame >= stop - 1 || video.ended) return resolve();
        return video.requestVideoFrameCallback(onFrame);
      };
      video.addEventListener("ended", end, { once: true });
      video.requestVideoFrameCallback(onFrame);
    });
    if (hasEnded || !this.#isLive(token)) return;
    await sleep(Math.max(0, (1000 * denominator) / numerator / this.rate - SWAP_MS));
  }

  /** Put a frame on the video in front, at once where the other one is ready for it. */
  async #bring(media, frame, token) {
    const isReady = this.#next?.media === media && this.#next.frame === frame;
    const isSame = this.#front.dataset.media === media;
    if (isReady) await this.#next.shown;
    else await showFrame(isSame ? this.#front : this.#back, media, frame, store.rate, START);
    if (!this.#isLive(token)) return;
    this.#next = null;
    if (isReady || !isSame) this.#swap();
  }

  /** Get the other video ready for what follows the frames before `stop`, while this one plays. */
  #prepare(stop) {
    const next = this.#following(stop);
    if (!next?.shot.take) return;
    const { media } = next.shot.take;
    const frame = next.shot.in + next.offset;
    const shown = showFrame(this.#back, media, frame, store.rate, START);
    shown.catch((error) => this.onChange(error));
    this.#next = { media, frame, shown };
  }

  /** The place in the cut that is shown after those before `stop`: muted shots are left out. */
  #following(stop) {
    const { start, end } = this.#span();
    let frame = stop;
    for (let tries = 0; tries <= store.shots.length; tries += 1) {
      if (frame >= end && !store.loop) return null;
      const place = store.at(frame >= end ? start : frame);
      if (!place?.shot.muted) return place;
      frame = store.starts[place.index + 1];
    }
    return null;
  }

  async #playGap(stop, token) {
    this.#hide();
    const [numerator, denominator] = store.rate;
    const begun = performance.now();
    const from = store.playhead;
    while (this.#isLive(token) && store.playhead < stop) {
      await sleep((1000 * denominator) / numerator / this.rate / 2);
      const passed = ((performance.now() - begun) / 1000) * this.rate * (numerator / denominator);
      if (from + passed >= stop) return;
      if (this.#isLive(token)) store.seek(Math.floor(from + passed));
    }
  }

  async #backwards(token) {
    const [numerator, denominator] = store.rate;
    let begun = performance.now();
    let exact = store.playhead;
    while (this.#isLive(token) && store.playhead > 0) {
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      exact += ((now - begun) / 1000) * this.rate * (numerator / denominator);
      begun = now;
      if (!this.#isLive(token)) return;
      store.seek(Math.ceil(exact));
      await this.#seek();
    }
  }
}
