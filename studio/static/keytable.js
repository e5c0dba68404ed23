/** Every command with its title and its keys: the studio's own, and where Resolve's or Premiere's differ. */

const row = (group) => (command, title, keys, others = {}) => ({ group, command, title, keys, ...others });
const playback = row("Playback");
const marks = row("Marks");
const select = row("Select");
const edit = row("Edit");
const shots = row("Shots");
const view = row("View");

/** Commands grouped as the help shows them. `keys` holds in a preset that names no others. */
export const COMMANDS = [
  playback("play", "Play or pause", ["Space"]),
  playback("backward", "Play backwards; again = 2x 4x 8x", ["J"]),
  playback("stop", "Stop; hold with J or L = one frame", ["K"]),
  playback("forward", "Play forwards; again = 2x 4x 8x", ["L"]),
  playback("previousFrame", "One frame back", ["Left", ","]),
  playback("nextFrame", "One frame on", ["Right", "."]),
  playback("previousFive", "Five frames back", ["Ctrl+Shift+Left"], { premiere: ["Shift+Left"] }),
  playback("nextFive", "Five frames on", ["Ctrl+Shift+Right"], { premiere: ["Shift+Right"] }),
  playback("previousSecond", "One second back", ["Shift+Left"], { premiere: ["Ctrl+Shift+Left"] }),
  playback("nextSecond", "One second on", ["Shift+Right"], { premiere: ["Ctrl+Shift+Right"] }),
  playback("previousCut", "Previous cut", ["Up"]),
  playback("nextCut", "Next cut", ["Down"]),
  playback("start", "Start of the film", ["Home"]),
  playback("end", "End of the film", ["End"]),
  playback("shotStart", "Start of the shot", [";"]),
  playback("shotEnd", "End of the shot", ["'"]),
  playback("typeTime", "Type a time: 1:05, 12. (seconds), +12 (frames)", ["Ctrl+G"], { resolve: ["=", "Ctrl+G"] }),
  playback("loop", "Loop on or off", ["Ctrl+/"]),

  marks("markIn", "Start of the range (In)", ["I"]),
  marks("markOut", "End of the range (Out)", ["O"]),
  marks("markShot", "Range = the selected shots", ["X"]),
  marks("toIn", "Go to In", ["Shift+I"]),
  marks("toOut", "Go to Out", ["Shift+O"]),
  marks("clearMarks", "Clear the range", ["Alt+X"], { premiere: ["Ctrl+Shift+X", "Alt+X"] }),
  marks("addMarker", "Add a marker; on a marker: name it", ["M"]),
  marks("editMarker", "Name the marker at the playhead", ["Shift+M"], { premiere: ["Alt+M"] }),
  marks("deleteMarker", "Delete the marker at the playhead", ["Alt+M"], { premiere: ["Ctrl+Alt+M"] }),
  marks("markerEarlier", "Move the marker at the playhead one frame earlier", ["Alt+Shift+Left"]),
  marks("markerLater", "Move the marker at the playhead one frame later", ["Alt+Shift+Right"]),
  marks("previousMarker", "Previous marker", ["Shift+Up"], { premiere: ["Ctrl+Shift+M"] }),
  marks("nextMarker", "Next marker", ["Shift+Down"], { premiere: ["Shift+M"] }),

  select("selectAll", "Select every shot", ["Ctrl+A"]),
  select("selectShot", "Select the shot at the playhead", ["C"], { resolve: ["Shift+V"], premiere: ["D"] }),
  select("selectRange", "Select the shots in the range", ["Alt+A"]),
  select("deselect", "Select nothing; while dragging: take the drag back", ["Esc"]),

  edit("split", "Split at the playhead", ["B", "Ctrl+B", "Ctrl+K"], { resolve: ["Ctrl+B", "B", "Ctrl+\\"], premiere: ["Ctrl+K", "C"] }),
  edit("trimStart", "Trim the start to the playhead", ["Q", "["], { resolve: ["Ctrl+{"], premiere: ["Q"] }),
  edit("trimEnd", "Trim the end to the playhead", ["W", "]"], { resolve: ["Ctrl+}"], premiere: ["W"] }),
  edit("slipBack", "Slip: show one frame earlier of the take", ["Alt+,"], { premiere: ["Ctrl+Alt+Left", "Alt+,"] }),
  edit("slipOn", "Slip: show one frame later of the take", ["Alt+."], { premiere: ["Ctrl+Alt+Right", "Alt+."] }),
  edit("moveEarlier", "Move the selected shots one place earlier", ["Ctrl+Left"]),
  edit("moveLater", "Move the selected shots one place later", ["Ctrl+Right"]),
  edit("insertAfter", "Add a shot after this one", ["A"], { resolve: ["Shift+A"], premiere: ["Shift+A"] }),
  edit("insertBefore", "Add a shot before this one", ["Shift+A"], { resolve: ["Ctrl+Alt+A"], premiere: ["Ctrl+Alt+A"] }),
  edit("goOn", "Continue: add a shot that starts on this one's last frame", ["E"]),
  edit("bridge", "Bridge: add one that also lands on the next one's first frame", ["Alt+E"]),
  edit("duplicate", "Duplicate the selected shots", ["Ctrl+D"]),
  edit("remove", "Delete the selected shots; what follows moves up", ["Delete"], { resolve: ["Delete", "Shift+Backspace"], premiere: ["Shift+Delete"] }),
  edit("clear", "Empty the selected shots: prompt and room stay", ["Backspace"], { premiere: ["Delete", "Backspace"] }),
  edit("mute", "Mute or unmute: out of picture and memory", ["D"], { premiere: ["Shift+E"] }),
  edit("solo", "Solo or end solo: mute all others", ["S"], { premiere: ["Alt+S"] }),
  edit("lock", "Lock or unlock", ["Shift+L"]),
  edit("undo", "Undo", ["Ctrl+Z"]),
  edit("redo", "Redo", ["Ctrl+Shift+Z", "Ctrl+Y"]),

  shots("generate", "Generate the selected shots", ["Ctrl+Enter"]),
  shots("regenerate", "Regenerate with a new seed", ["G"]),
  shots("takes", "Takes of the shot", ["T"]),
  shots("recall", "Recall this frame from memory", ["R"]),
  shots("rollAgain", "Roll again with the same seed: only memory differs", ["Shift+G"]),
  shots("updateStale", "Update what changed, in order", ["U"]),
  shots("accept", "Accept the selected stale shots as they are", ["Shift+U"]),
  shots("memoryCut", "Memory of the shot: Cut", ["Alt+1"]),
  shots("memoryPlace", "Memory of the shot: Same place", ["Alt+2"]),
  shots("memoryCharacter", "Memory of the shot: Same character", ["Alt+3"]),
  shots("memoryContinuous", "Memory of the shot: Continuous", ["Alt+4"]),
  shots("budget", "Memory budget and what it costs", ["Alt+B"]),
  shots("editPrompt", "Edit the prompt", ["Enter"]),
  shots("rename", "Rename the shot", ["F2"]),

  view("zoomIn", "Zoom in; also Ctrl+wheel", ["=", "+"], { resolve: ["Ctrl+=", "Ctrl++", "+"] }),
  view("zoomOut", "Zoom out", ["-"], { resolve: ["Ctrl+-", "-"] }),
  view("fit", "Show the whole film", ["Shift+Z", "\\"], { premiere: ["\\", "Shift+Z"] }),
  view("snapping", "Snapping on or off; Shift while dragging = off", ["N"], { premiere: ["S"] }),
  view("list", "The cut as a list, and back", ["Alt+L"]),
  view("help", "These keys", ["?"]),
];
