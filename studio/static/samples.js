/** The films that come with the studio: a picture, what each shows, and one press to begin it. */

import * as api from "./api.js";
import { fill, FILM, h, icon, StudioElement } from "./dom.js";
import { go } from "./route.js";
import { store } from "./store.js";
import { sheet } from "./style.js";
import { duration } from "./timecode.js";

const styles = sheet(`
:host { container-type: inline-size; }
.root { height: auto; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 172px), 1fr)); }
li { display: grid; }
button.sample { display: grid; grid-template-rows: auto 1fr auto; justify-items: stretch; align-items: start; text-align: left; white-space: normal; padding: 0; gap: 0; overflow: hidden; border-radius: 6px; background: var(--mn-panel); }
button.sample:hover:not(:disabled) { background: var(--mn-panel); border-color: var(--mn-accent); }
.picture { width: 100%; aspect-ratio: 5 / 1; background: var(--mn-well) center / cover no-repeat; display: grid; place-items: center; color: var(--mn-faint); border-bottom: 1px solid var(--mn-line); }
.about { padding: 10px 12px 4px; display: grid; gap: 4px; align-content: start; }
.about b { font-weight: 600; }
.about span { color: var(--mn-dim); font-size: 12.5px; line-height: 1.5; }
.foot { padding: 4px 12px 10px; font-size: 12px; color: var(--mn-accent); }
.about .length { font-size: 12px; }
@container (max-width: 500px) { .about .shows { display: none; } }
/* In the player of a small window there is no room for more than names. */
@container (max-height: 430px) { .about .shows, .foot { display: none; } .about { padding-bottom: 8px; } }
`);

let known = null;
let knownIn = "";

/** The samples as the studio has them: times are known once the model is loaded. */
function askSamples() {
  const { state } = store.engine;
  if (state !== knownIn) known = null;
  knownIn = state;
  known ??= store.ask(() => api.get("/api/samples")).then((reply) => {
    // A studio that does not answer now may do so later.
    if (!reply) known = null;
    return reply?.samples ?? [];
  });
  return known;
}

/** Make a sample's film, or give its shots to the open film that has none yet. */
export async function beginSample(sample) {
  if (store.projectId && store.document && !store.shots.length) {
    await store.storyboard(sample.text, "append");
  } else {
    const made = await store.ask(() => api.post("/api/projects", { name: sample.title }));
    if (!made) return;
    const path = `/api/projects/${encodeURIComponent(made.id)}/storyboard`;
    await store.ask(() => api.post(path, { text: sample.text, mode: "append" }));
    await go(made.id);
  }
  if (store.shots.length) store.announce(`${store.shots.length} shots are planned. Generate all makes them. ${sample.look}`);
}

class Samples extends StudioElement {
  static topics = ["engine"];
  static styles = [styles];

  build() {
    this.list = h("ul", { "aria-label": "Sample films" });
    this.root.append(this.list);
  }

  async refresh() {
    const samples = await askSamples();
    if (this.shown === samples) return;
    this.shown = samples;
    fill(this.list, samples.map((sample) => this.card(sample)));
  }

  card(sample) {
    const picture = h("div", { class: "picture" });
    if (!sample.picture) picture.append(icon(FILM, 24));
    else picture.style.backgroundImage = `url("${encodeURI(sample.picture)}")`;
    const length = sample.shots ? `${sample.shots} shots, ${duration(sample.seconds)}` : "";
    const time = sample.estimated_seconds ? `about ${duration(sample.estimated_seconds)} to make` : "";
    const note = sample.unknown_words.length ? "This model does not know all of its words." : "";
    const one = h("button", {
      class: "sample", type: "button", title: sample.look, "aria-label": `Begin the sample film ${sample.title}`,
      on: { click: () => this.begin(sample, one) },
    }, picture, h("span", { class: "about" }, h("b", {}, sample.title), h("span", { class: "shows" }, sample.shows), h("span", { class: "length" }, [length, time].filter(Boolean).join(", ")), note ? h("span", { class: "warn" }, note) : null),
    h("span", { class: "foot" }, "Begin this film"));
    return h("li", {}, one);
  }

  async begin(sample, one) {
    one.disabled = true;
    await beginSample(sample);
    one.disabled = false;
    this.dispatchEvent(new CustomEvent("begun"));
  }
}

customElements.define("mnemo-samples", Samples);
