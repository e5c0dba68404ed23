/** What an editor should know of the library: backups that fail, and what is damaged. */

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { store } from "./store.js";

const ASK_AGAIN_MS = 60_000;

/** What is wrong with the library, in one line for each thing. Empty = nothing. */
export function troubles(library) {
  const lines = [];
  if (library?.backup.problem) lines.push(`No backup could be taken. ${library.backup.problem}`);
  for (const problem of library?.problems ?? []) {
    if (!problem.is_warning) lines.push(`${problem.message} ${problem.advice}`);
  }
  return lines;
}

/** A line over the page that says so; it goes away by itself once it is over. */
export function libraryNotice(className) {
  const notice = h("div", { class: className, role: "alert", hidden: true });
  const read = async () => {
    const library = await api.get("/api/library").catch(() => null);
    const lines = troubles(library);
    notice.hidden = !lines.length;
    fill(notice, h("b", {}, "Look after the library."), h("span", { class: "clip" }, lines[0] ?? ""));
    notice.title = lines.join("\n");
  };
  store.addEventListener("library", read);
  setInterval(read, ASK_AGAIN_MS);
  read();
  return notice;
}
