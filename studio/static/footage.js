/** Bringing an editor's own video into the film: chosen or dropped, streamed to the studio. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { store } from "./store.js";

/** Shares sent of the files on their way, by name. */
export const uploads = new Map();

/** Whether a file is a video, by what the system or its name says. */
export function isVideo(file) {
  return file.type.startsWith("video/") || /\.(mp4|mov|m4v|mkv|webm|avi)$/i.test(file.name);
}

/** Send a video; it becomes a shot at the end of the film once it has been read. */
export async function importFootage(file) {
  if (!isVideo(file)) {
    const isPicture = file.type.startsWith("image/");
    const wish = isPicture ? "Drop a picture on the start or end frame of a shot." : "Drop an mp4, mov, mkv or webm file.";
    store.announce(`${file.name} is not a video. ${wish}`, "bad");
    return;
  }
  const path = `${store.base}/footage?name=${encodeURIComponent(file.name)}`;
  uploads.set(file.name, 0);
  store.emit("jobs");
  store.announce(`Importing ${file.name}`);
  await store.ask(() => api.upload(path, file, (share) => {
    uploads.set(file.name, share);
    store.emit("jobs");
  }));
  uploads.delete(file.name);
  store.emit("jobs");
  await store.load();
}

/** Let the editor choose videos from the computer. */
export function chooseFootage() {
  const input = h("input", { type: "file", accept: "video/*", multiple: true });
  input.addEventListener("change", async () => {
    for (const file of input.files) await importFootage(file);
  });
  input.click();
}

/** Accept videos dropped anywhere on `element`, where nothing inside of it took them. */
export function acceptFootage(element) {
  element.addEventListener("dragover", (event) => {
    if (!store.projectId || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  element.addEventListener("drop", async (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length || event.defaultPrevented || !store.projectId) return;
    event.preventDefault();
    for (const file of files) await importFootage(file);
  });
}
