/** The look of the list view. */

import { sheet } from "./style.js";

export const listStyles = sheet(`
:host { user-select: none; -webkit-user-select: none; }
.root { background: var(--mn-page); height: clamp(200px, calc(var(--rows, 1) * 31px + 44px), 44vh); overflow: hidden; position: relative; }
.grid { height: 100%; overflow: auto; scrollbar-gutter: stable; }
.line { display: grid; grid-template-columns: 56px 124px minmax(90px, 1fr) minmax(160px, 3fr) 100px 170px 72px 72px; min-height: 30px; align-items: stretch; border-bottom: 1px solid var(--mn-line); content-visibility: auto; contain-intrinsic-size: auto 30px; }
.head { position: sticky; top: 0; z-index: 1; background: var(--mn-panel); color: var(--mn-dim); font-size: 11px; font-weight: 600; content-visibility: visible; }
.head > *, .cell { padding: 5px 10px; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; line-height: 20px; }
.cell:focus { outline: 2px solid var(--mn-focus); outline-offset: -2px; }
.line:hover .cell { background: var(--mn-panel); }
.line[aria-selected="true"] .cell { background: var(--mn-accent-soft); }
.number, .start, .length { font-family: var(--mn-mono); font-variant-numeric: tabular-nums; }
.number, .start, .state { color: var(--mn-dim); }
.stale .state { color: var(--mn-warn); }
.muted .cell:not(.number, .muted) { color: var(--mn-dim); text-decoration: line-through; }
.cell.muted, .cell.locked { cursor: pointer; text-align: center; }
.cell[data-editing] { padding: 1px 2px; }
.cell input, .cell select { width: 100%; min-height: 26px; user-select: text; }
.empty { position: absolute; inset: 0; display: grid; place-content: center; pointer-events: none; }
.empty:empty { display: none; }
`);
