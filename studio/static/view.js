/** Where an editor stands in a project (playhead, zoom, selection): kept for the tab, in its URL. */

const keyOf = (projectId) => `mnemoreel:view:${projectId}`;

const REST_MS = 150;
// Values that are not stored yet, by project: a drag changes them faster than storage is.
let due = {};
let waiting = 0;

function stored(projectId) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(projectId))) ?? {};
  } catch {
    // A view that cannot be read is a view that was never saved.
    return {};
  }
}

function read(projectId) {
  return { ...stored(projectId), ...due[projectId] };
}

function flush() {
  clearTimeout(waiting);
  waiting = 0;
  for (const id of Object.keys(due)) sessionStorage.setItem(keyOf(id), JSON.stringify(read(id)));
  due = {};
}

addEventListener("pagehide", flush);

/** Values that a component kept for the open project, such as the zoom. */
export function recall(store, name, otherwise) {
  return read(store.projectId)[name] ?? otherwise;
}

/** Keep a value of a component for the open project. */
export function keep(store, values) {
  if (!store.projectId) return;
  due[store.projectId] = { ...due[store.projectId], ...values };
  waiting ||= setTimeout(flush, REST_MS);
}

/** Put the playhead, the range and the selection back; a shot named in the URL wins. */
export function loadView(store) {
  const view = read(store.projectId);
  const named = new URLSearchParams(location.search).get("shot");
  const ids = new Set(store.shots.map((shot) => shot.shot_id));
  const chosen = (view.selection ?? []).filter((id) => ids.has(id));
  if (named && ids.has(named) && !chosen.includes(named)) chosen.splice(0, chosen.length, named);
  store.selection = new Set(chosen);
  store.anchor = named && ids.has(named) ? named : chosen.at(-1) ?? null;
  store.playhead = Math.max(0, Math.min(store.total - 1, view.playhead ?? 0));
  store.range = { in: null, out: null, ...view.range };
}

/** Keep the playhead and the selection; the shot in focus also goes into the URL. */
export function saveView(store) {
  keep(store, { playhead: store.playhead, selection: [...store.selection] });
  const url = new URL(location.href);
  const shot = store.selection.size ? store.anchor : null;
  if (url.searchParams.get("shot") === shot) return;
  if (shot) url.searchParams.set("shot", shot);
  else url.searchParams.delete("shot");
  history.replaceState(history.state, "", url);
}
