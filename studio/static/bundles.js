/** A film as one file: saved from its card and opened from the computer. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { store } from "./store.js";

const ENDING = ".mnemoreel";

/** Whether a file is a film of this studio, by its name. */
export function isBundle(file) {
  return file.name.toLowerCase().endsWith(ENDING);
}

/** Take a film in from a file, and tell `onDone` its project. */
export async function openBundle(file, onDone) {
  if (!isBundle(file)) {
    store.announce(`${file.name} is no film of this studio. Choose a ${ENDING} file.`, "bad");
    return;
  }
  store.announce(`Opening ${file.name}`);
  let told = null;
  try {
    told = await api.upload("/api/bundles", file, () => {});
  } catch (error) {
    if (!(error instanceof api.Refused)) throw error;
    store.announce(`${file.name} was not opened. ${error.message}`, "bad");
    return;
  }
  store.announce(told.is_copy ? `“${told.name}” was added beside the film you had.`
    : `“${told.name}” was added.`);
  await onDone(told);
}

/** Let the editor choose film files from the computer. */
export function chooseBundle(onDone) {
  const input = h("input", { type: "file", accept: ENDING });
  input.addEventListener("change", () => {
    for (const file of input.files) openBundle(file, onDone);
  });
  input.click();
}

/** A link that saves a project as one file. */
export function bundleLink(project) {
  return h("a", {
    class: "save", href: `/api/projects/${encodeURIComponent(project.id)}/bundle`, download: "",
    title: "The whole film in one file: history, takes and memory included",
    "aria-label": `Save ${project.name} as a file`,
  }, "Save as file");
}
