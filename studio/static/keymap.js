/** Keys and what they do: one table for the listener and for the help. Pure. */

/** Commands with their keys, grouped as the help shows them. */
export const KEYMAP = [
  { group: "Playback", command: "play", keys: ["Space"], title: "Play or pause" },
  { group: "Playback", command: "backward", keys: ["J"], title: "Play backwards; again = 2x 4x 8x" },
  { group: "Playback", command: "stop", keys: ["K"], title: "Stop; hold with J or L = one frame" },
  { group: "Playback", command: "forward", keys: ["L"], title: "Play forwards; again = 2x 4x 8x" },
  { group: "Playback", command: "previousFrame", keys: ["Left", ","], title: "One frame back" },
  { group: "Playback", command: "nextFrame", keys: ["Right", "."], title: "One frame on" },
  { group: "Playback", command: "previousSecond", keys: ["Shift+Left"], title: "One second back" },
  { group: "Playback", command: "nextSecond", keys: ["Shift+Right"], title: "One second on" },
  { group: "Playback", command: "previousCut", keys: ["Up"], title: "Previous cut" },
  { group: "Playback", command: "nextCut", keys: ["Down"], title: "Next cut" },
  { group: "Playback", command: "start", keys: ["Home"], title: "Start of the film" },
  { group: "Playback", command: "end", keys: ["End"], title: "End of the film" },
  { group: "Playback", command: "shotStart", keys: [";"], title: "Start of the shot" },
  { group: "Playback", command: "shotEnd", keys: ["'"], title: "End of the shot" },
  { group: "Playback", command: "loop", keys: ["Ctrl+/"], title: "Loop on or off" },
  { group: "Marks", command: "markIn", keys: ["I"], title: "Start of the range to loop" },
  { group: "Marks", command: "markOut", keys: ["O"], title: "End of the range to loop" },
  { group: "Marks", command: "clearMarks", keys: ["Alt+X"], title: "Clear the range" },
  { group: "Edit", command: "split", keys: ["B", "Ctrl+B", "Ctrl+K"], title: "Split at the playhead" },
  { group: "Edit", command: "trimStart", keys: ["Q", "["], title: "Trim the start to the playhead" },
  { group: "Edit", command: "trimEnd", keys: ["W", "]"], title: "Trim the end to the playhead" },
  { group: "Edit", command: "remove", keys: ["Delete", "Backspace"], title: "Delete the selected shots" },
  { group: "Edit", command: "duplicate", keys: ["Ctrl+D"], title: "Duplicate the selected shots" },
  { group: "Edit", command: "selectAll", keys: ["Ctrl+A"], title: "Select every shot" },
  { group: "Edit", command: "undo", keys: ["Ctrl+Z"], title: "Undo" },
  { group: "Edit", command: "redo", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], title: "Redo" },
  { group: "Shots", command: "generate", keys: ["Ctrl+Enter"], title: "Generate the selected shots" },
  { group: "Shots", command: "regenerate", keys: ["G"], title: "Regenerate with a new seed" },
  { group: "Shots", command: "takes", keys: ["T"], title: "Takes of the shot" },
  { group: "Shots", command: "recall", keys: ["R"], title: "Recall this frame from memory" },
  { group: "Shots", command: "editPrompt", keys: ["Enter"], title: "Edit the prompt" },
  { group: "Shots", command: "rename", keys: ["F2"], title: "Rename the shot" },
  { group: "View", command: "zoomIn", keys: ["=", "+"], title: "Zoom in; also Ctrl+wheel" },
  { group: "View", command: "zoomOut", keys: ["-"], title: "Zoom out" },
  { group: "View", command: "fit", keys: ["Shift+Z", "\\"], title: "Show the whole film" },
  { group: "View", command: "snapping", keys: ["N"], title: "Snapping on or off; Shift while dragging = off" },
  { group: "View", command: "help", keys: ["?"], title: "These keys" },
];

/** Keys that belong to the browser: never bound. */
export const RESERVED = ["Ctrl+W", "Ctrl+T", "Ctrl+N", "Ctrl+R", "Ctrl+L"];

const NAMES = {
  " ": "Space", ArrowLeft: "Left", ArrowRight: "Right", ArrowUp: "Up", ArrowDown: "Down",
};
const COMMANDS = new Map(KEYMAP.flatMap((row) => row.keys.map((keys) => [keys, row.command])));

/** What a keyboard event is called in the table, such as `Ctrl+Shift+Z`. */
export function chordOf(event) {
  const letter = event.altKey && /^Key[A-Z]$/.test(event.code ?? "") ? event.code[3] : event.key;
  const key = NAMES[letter] ?? (letter.length === 1 ? letter.toUpperCase() : letter);
  // Shift is part of what a symbol key writes ("?" is Shift+/), so it only counts for the others.
  const shift = event.shiftKey && (key.length > 1 || /[A-Z]/.test(key));
  const parts = [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", shift && "Shift"];
  return [...parts.filter(Boolean), key].join("+");
}

/** Name of the command for a keyboard event, or null. */
export function commandFor(event) {
  return COMMANDS.get(chordOf(event)) ?? null;
}

/** First key of a command, for a tooltip. */
export function keyOf(command) {
  return KEYMAP.find((row) => row.command === command)?.keys[0] ?? "";
}
