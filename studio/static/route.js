/** Which project is open, as the URL says: `?project=ID`, and the list of projects without it. */

import { store } from "./store.js";

async function show() {
  const id = new URLSearchParams(location.search).get("project") ?? "";
  document.documentElement.dataset.screen = id ? "desk" : "home";
  await store.open(id);
}

/** Open what the URL names now, and each time the editor goes back or forth. */
export function followUrl() {
  addEventListener("popstate", show);
  return show();
}

/** Go to a project, or (with an empty id) to the list of projects. */
export function go(projectId) {
  const url = new URL(location.href);
  url.search = "";
  if (projectId) url.searchParams.set("project", projectId);
  history.pushState(null, "", url);
  return show();
}
