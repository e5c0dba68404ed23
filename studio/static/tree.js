/** The history as rows to draw: newest first, each branch in a column of its own. Pure. */

/** Ids from `id` back to the first node, `id` included. */
export function ancestorsOf(nodes, id) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const path = new Set();
  for (let node = byId.get(id); node && !path.has(node.id); node = byId.get(node.parent_id)) {
    path.add(node.id);
  }
  return path;
}

function columnFor(columns, id) {
  const waiting = columns.indexOf(id);
  if (waiting >= 0) return waiting;
  const free = columns.indexOf(null);
  if (free >= 0) return free;
  columns.push(null);
  return columns.length - 1;
}

/**
 * Rows of the history, newest first. `column` is where the node stands, `through` the columns whose
 * line passes by, `from` the columns of children that join here, `place` one of head, past (of the
 * head), ahead (towards the tip) and other (another branch). Nodes are given oldest first.
 */
export function historyRows(nodes, head, tip) {
  const past = ancestorsOf(nodes, head);
  const line = ancestorsOf(nodes, tip);
  const parents = new Set(nodes.map((node) => node.parent_id));
  const columns = [tip ?? null];
  const rows = [];
  // The first column is kept for the line the editor is on; above its tip there is nothing to draw.
  let hasBegun = false;
  for (const node of [...nodes].reverse()) {
    const column = columnFor(columns, node.id);
    hasBegun = hasBegun || node.id === tip;
    const joining = [];
    columns.forEach((id, at) => {
      if (id === node.id && at !== column) joining.push(at);
    });
    const hasChild = columns[column] === node.id && parents.has(node.id);
    const through = columns.flatMap((id, at) => (id !== null && id !== node.id && (at > 0 || hasBegun) ? [at] : []));
    for (const at of joining) columns[at] = null;
    columns[column] = node.parent_id ?? null;
    rows.push({
      node, column, through, joining, hasChild,
      hasParent: Boolean(node.parent_id),
      place: placeOf(node.id, head, past, line),
    });
  }
  return rows;
}

function placeOf(id, head, past, line) {
  if (id === head) return "head";
  if (past.has(id)) return "past";
  return line.has(id) ? "ahead" : "other";
}
