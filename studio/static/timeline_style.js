/** The look of the timeline. */

import { sheet } from "./style.js";
import { ROWS } from "./timeline_paint.js";

export const styles = sheet(`
:host { user-select: none; -webkit-user-select: none; }
.root { background: var(--mn-panel); border-top: 1px solid var(--mn-line); }
.tools { display: flex; align-items: center; gap: 4px; height: 40px; padding: 0 10px; border-bottom: 1px solid var(--mn-line); }
.tools button { min-height: 26px; padding: 2px 8px; font-size: 12px; }
.tools button.icon { width: 26px; padding: 0; }
.tools .line { width: 1px; height: 18px; background: var(--mn-line); margin: 0 6px; flex: none; }
.timecode { width: 108px; font: 600 14px var(--mn-mono); color: var(--mn-accent); background: transparent; border-color: transparent; padding: 2px 6px; letter-spacing: .01em; }
.viewport { position: relative; overflow: auto hidden; height: ${ROWS.all + 12}px; background: var(--mn-page); scrollbar-width: auto; }
.viewport:focus-visible { outline: none; box-shadow: inset 0 0 0 2px var(--mn-focus); }
canvas { position: sticky; left: 0; top: 0; display: block; pointer-events: none; }
.lane { position: absolute; left: 0; top: 0; height: ${ROWS.all}px; pointer-events: none; }
.shot { position: absolute; left: 0; top: ${ROWS.shots}px; height: ${ROWS.shotHeight}px; overflow: hidden; pointer-events: auto; cursor: default; border-radius: 3px; contain: strict; }
.shot::after { content: ""; position: absolute; inset: 0; border-radius: 3px; border: 1px solid #0007; pointer-events: none; }
.shot[aria-selected="true"]::after { border: 2px solid var(--mn-accent); }
.shot:hover::after { border-color: var(--mn-line-strong); }
.shot[aria-selected="true"]:hover::after { border-color: var(--mn-accent); }
.shot.muted .caption b, .shot.muted .about { color: var(--mn-dim); font-style: italic; }
.shot.moving { opacity: .5; }
.words { position: absolute; inset: 0 0 26px 0; padding: 8px 10px; color: var(--mn-dim); display: none; background: repeating-linear-gradient(135deg, var(--mn-stripe) 0 8px, var(--mn-stripe-other) 8px 16px); }
.words p { font-size: 12px; line-height: 18px; max-height: 54px; overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; }
.draft .words { display: block; }
.preview { position: absolute; z-index: 1; left: 0; top: 0; height: ${ROWS.strip}px; aspect-ratio: var(--aspect, 1); object-fit: cover; display: none; }
.preview[src] { display: block; }
.preview[src] + .words p { visibility: hidden; }
.caption { position: absolute; left: 0; right: 0; bottom: 0; height: 26px; padding: 0 8px; display: flex; align-items: center; gap: 6px; background: var(--mn-raised); font-size: 12px; overflow: hidden; white-space: nowrap; }
.shot[aria-selected="true"] .caption { background: var(--mn-chosen); }
.caption b { font-weight: 600; }
.caption .about { color: var(--mn-dim); overflow: hidden; text-overflow: ellipsis; flex: 1; min-width: 0; }
.caption .badge { color: var(--mn-dim); font-size: 11px; flex: none; }
.caption .badge.stale { color: var(--mn-warn); }
.narrow .about, .narrow .badge { display: none; }
.tiny .caption * { display: none; }
.stale-mark { position: absolute; left: 0; right: 0; top: 0; height: 5px; display: none; background: repeating-linear-gradient(135deg, var(--mn-warn) 0 5px, #0000 5px 9px); }
.stale .stale-mark { display: block; }
.working { position: absolute; z-index: 2; left: 0; right: 0; bottom: 26px; height: 20px; display: none; align-items: center; padding: 0 10px; font-size: 11px; background: var(--mn-scrim); color: var(--mn-on-scrim); white-space: nowrap; overflow: hidden; }
.working i { position: absolute; left: 0; right: 0; bottom: 0; height: 3px; background: var(--mn-accent); transform-origin: 0 0; }
.busy .working { display: flex; }
.failed .working { display: flex; color: var(--mn-scrim-bad); }
.handle { position: absolute; top: 0; bottom: 0; width: 8px; cursor: ew-resize; z-index: 1; opacity: 0; background: var(--mn-accent); }
.handle[data-edge="in"] { left: 0; border-radius: 3px 0 0 3px; }
.handle[data-edge="out"] { right: 0; border-radius: 0 3px 3px 0; }
.shot:hover .handle { opacity: .35; }
.shot .handle:hover { opacity: 1; }
.bare-in .handle[data-edge="in"], .bare-out .handle[data-edge="out"] { background: repeating-linear-gradient(0deg, var(--mn-bad) 0 4px, #0000 4px 7px); }
.shot[aria-selected="true"]:is(.bare-in, .bare-out) .handle { opacity: .35; }
.draft .handle[data-edge="in"], .locked .handle { display: none; }
.playhead { position: absolute; top: 0; left: -6px; width: 13px; height: ${ROWS.all}px; pointer-events: none; z-index: 4; }
.playhead::before { content: ""; position: absolute; left: 6px; top: 12px; bottom: 0; width: 1px; background: var(--mn-text); }
.playhead::after { content: ""; position: absolute; left: 1px; top: 4px; width: 11px; height: 12px; background: var(--mn-text); clip-path: polygon(0 0, 100% 0, 100% 55%, 50% 100%, 0 55%); }
.insertion { position: absolute; top: ${ROWS.shots - 2}px; height: ${ROWS.shotHeight + 4}px; width: 3px; background: var(--mn-focus); z-index: 4; pointer-events: none; border-radius: 2px; }
.length { position: absolute; top: ${ROWS.shots + 6}px; padding: 3px 8px; border-radius: 4px; background: var(--mn-scrim); color: var(--mn-on-scrim); font: 12px var(--mn-mono); z-index: 5; pointer-events: none; white-space: nowrap; }
.band { position: absolute; top: ${ROWS.shots - 2}px; height: ${ROWS.all - ROWS.shots}px; border: 1px solid var(--mn-focus); background: color-mix(in srgb, var(--mn-focus) 16%, transparent); z-index: 4; pointer-events: none; border-radius: 2px; }
.flags { position: absolute; left: 0; top: 0; height: ${ROWS.ruler}px; z-index: 3; }
.flag { position: absolute; left: 0; top: 3px; height: ${ROWS.ruler - 4}px; min-width: 9px; padding: 0 5px; pointer-events: auto; cursor: default; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; border-radius: 0 3px 3px 0; border-left: 2px solid var(--mn-focus); background: color-mix(in srgb, var(--mn-focus) 45%, var(--mn-panel)); color: var(--mn-text); font-size: 11px; line-height: ${ROWS.ruler - 5}px; }
.flag:hover { background: color-mix(in srgb, var(--mn-focus) 65%, var(--mn-panel)); }
.name { position: absolute; top: 0; width: 180px; min-height: ${ROWS.ruler}px; height: ${ROWS.ruler}px; padding: 0 6px; font-size: 12px; z-index: 6; pointer-events: auto; user-select: text; }
.plus { position: absolute; top: ${ROWS.shots + ROWS.strip + 3}px; width: 20px; height: 20px; min-height: 0; margin-left: -10px; padding: 0; border-radius: 50%; background: var(--mn-focus); border-color: var(--mn-focus); color: var(--mn-page); font: 600 15px/1 var(--mn-font); z-index: 5; pointer-events: auto; }
.plus:hover:not(:disabled) { background: var(--mn-accent); border-color: var(--mn-accent); }
.plus-end { position: absolute; top: ${ROWS.shots}px; width: 30px; height: ${ROWS.shotHeight}px; padding: 0; pointer-events: auto; background: transparent; border: 1px dashed var(--mn-line-strong); color: var(--mn-dim); font-size: 18px; }
.blank { position: absolute; inset: 0; display: flex; align-items: center; justify-content: center; gap: 10px; color: var(--mn-dim); padding-top: ${ROWS.ruler}px; pointer-events: none; }
.blank[hidden] { display: none; }
.viewport.dropping { box-shadow: inset 0 0 0 2px var(--mn-accent); }
@media (max-width: 1160px) { .tools .wide { display: none; } }
`);
