/** The look that every component shares; colours are variables of theme.css. */

/** Make a style sheet that shadow roots can share. */
export function sheet(text) {
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
}

export const base = sheet(`
:host { display: block; box-sizing: border-box; }
:host([hidden]), [hidden] { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
.root { color: var(--mn-text); font: 13px/1.45 var(--mn-font); height: 100%; }
h2, h3, p { margin: 0; }
h2 { font-size: 13px; font-weight: 600; }
h3 { font-size: 11px; font-weight: 600; color: var(--mn-dim); letter-spacing: .02em; }
.dim { color: var(--mn-dim); }
.small { font-size: 12px; }
.mono { font-family: var(--mn-mono); font-variant-numeric: tabular-nums; }
.row { display: flex; align-items: center; gap: 8px; }
.grow { flex: 1; min-width: 0; }
.clip { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
button {
  font: inherit; color: var(--mn-text); background: var(--mn-raised); cursor: pointer;
  border: 1px solid var(--mn-line); border-radius: 4px; padding: 4px 10px; min-height: 28px;
  white-space: nowrap; display: inline-flex; align-items: center; justify-content: center; gap: 6px;
}
button:hover:not(:disabled) { background: var(--mn-hover); }
button:active:not(:disabled) { background: var(--mn-line); }
button:disabled { color: var(--mn-faint); cursor: default; border-color: transparent; }
button.primary { background: var(--mn-accent); border-color: var(--mn-accent); color: var(--mn-on-accent); font-weight: 600; }
button.primary:hover:not(:disabled) { background: var(--mn-accent-hover); }
button.primary:disabled { background: var(--mn-raised); border-color: transparent; color: var(--mn-faint); }
button.plain { background: transparent; border-color: transparent; }
button.plain:hover:not(:disabled) { background: var(--mn-hover); }
button.icon { padding: 0; width: 28px; }
button[aria-pressed="true"] { background: var(--mn-accent-soft); border-color: var(--mn-accent-line); color: var(--mn-accent); }
button.danger:hover:not(:disabled) { background: var(--mn-bad-soft); color: var(--mn-bad); border-color: var(--mn-bad); }
:focus-visible { outline: 2px solid var(--mn-focus); outline-offset: 1px; }
input, textarea, select {
  font: inherit; color: var(--mn-text); background: var(--mn-well); border: 1px solid var(--mn-line);
  border-radius: 4px; padding: 4px 8px; min-height: 28px; min-width: 0;
}
input:hover, textarea:hover, select:hover { border-color: var(--mn-line-strong); }
input:disabled, textarea:disabled, select:disabled { color: var(--mn-faint); }
input:focus, textarea:focus, select:focus { border-color: var(--mn-focus); }
input:focus-visible, textarea:focus-visible, select:focus-visible { outline: 2px solid var(--mn-focus); outline-offset: -1px; }
::placeholder { color: var(--mn-dim); opacity: 1; }
textarea { resize: vertical; line-height: 1.5; }
input[type="range"] { padding: 0; accent-color: var(--mn-accent); min-height: 20px; border: 0; background: transparent; }
input[type="range"]:focus-visible { outline: 2px solid var(--mn-focus); }
input[type="checkbox"], input[type="radio"] { accent-color: var(--mn-accent); min-height: 0; margin: 0; }
label.field { display: grid; gap: 4px; }
label.field > span { font-size: 12px; color: var(--mn-dim); }
.segments { display: inline-flex; border: 1px solid var(--mn-line); border-radius: 4px; overflow: hidden; }
.segments button { border: 0; border-radius: 0; background: transparent; min-height: 26px; }
.segments button + button { border-left: 1px solid var(--mn-line); }
.segments button[aria-pressed="true"] { background: var(--mn-accent-soft); }
.bar { height: 4px; border-radius: 2px; background: var(--mn-line); overflow: hidden; }
.bar > i { display: block; height: 100%; background: var(--mn-accent); transform-origin: 0 50%; }
.chip { display: inline-flex; align-items: center; gap: 4px; padding: 0 6px; border-radius: 3px; background: var(--mn-raised); font-size: 12px; line-height: 20px; }
.warn { color: var(--mn-warn); }
.bad { color: var(--mn-bad); }
.good { color: var(--mn-good); }
.spin { width: 12px; height: 12px; border-radius: 50%; border: 2px solid var(--mn-line-strong); border-top-color: var(--mn-accent); animation: spin 1s linear infinite; flex: none; }
@keyframes spin { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .spin { animation: none; } * { transition: none !important; } }
.hidden-text { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
::-webkit-scrollbar { width: 10px; height: 10px; }
::-webkit-scrollbar-thumb { background: var(--mn-line-strong); border-radius: 5px; border: 2px solid transparent; background-clip: content-box; }
::-webkit-scrollbar-track, ::-webkit-scrollbar-corner { background: transparent; }
`);

/** What panels of the inspector share: a scrolling column of sections. */
export const panel = sheet(`
:host { height: 100%; min-height: 0; }
.root { overflow: hidden auto; padding: 14px; display: flex; flex-direction: column; gap: 14px; scrollbar-gutter: stable; }
.empty { margin: auto; max-width: 260px; text-align: center; color: var(--mn-dim); display: grid; gap: 10px; justify-items: center; }
.empty b { color: var(--mn-text); font-weight: 600; }
section { display: grid; gap: 8px; grid-template-columns: minmax(0, 1fr); }
section.pair, .pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 10px; }
.split { border-top: 1px solid var(--mn-line); padding-top: 14px; }
`);

/** A native dialog over the page. */
export const dialog = sheet(`
dialog {
  color: var(--mn-text); background: var(--mn-panel); border: 1px solid var(--mn-line-strong); border-radius: 8px;
  padding: 0; max-width: calc(100vw - 48px); max-height: calc(100vh - 48px); box-shadow: 0 24px 64px var(--mn-shadow);
}
dialog::backdrop { background: var(--mn-veil); }
dialog header { display: flex; align-items: center; gap: 12px; padding: 12px 16px; border-bottom: 1px solid var(--mn-line); }
dialog header h2 { flex: 1; font-size: 14px; }
dialog footer { display: flex; align-items: center; gap: 8px; padding: 12px 16px; border-top: 1px solid var(--mn-line); }
`);
