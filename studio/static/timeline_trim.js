/** Trim and slip by pointer: the cut moves at once, with both of its frames in sight. */

import { applyEdit } from "./edits.js";
import { bareEnds, lengthOf, nearestLength, slipped, trimmed } from "./model.js";
import { store } from "./store.js";
import { pictureOf, shownBeside } from "./twoup.js";

/** A take is trimmed; a shot without one gets another length, of those the model can make. */
function trimOp(shot, edge, delta) {
  if (shot.take) return { kind: "trim", shot_id: shot.shot_id, ...trimmed(shot, edge, delta) };
  const { frame_multiple: multiple = 1, max_frames: max = Infinity } = store.engine.info ?? {};
  const asked = Math.max(1, lengthOf(shot) + delta);
  const frames = Number.isFinite(max) ? nearestLength(asked, multiple, max) : asked;
  return { kind: "set", shot_id: shot.shot_id, fields: { num_frames: frames } };
}

function isChange(op, shot) {
  if (op.kind === "set") return op.fields.num_frames !== shot.num_frames;
  return op.in !== shot.in || op.out !== shot.out;
}

const signed = (number) => (number > 0 ? `+${number}` : String(number));

/** Drags that change what a shot shows. */
export class Trims {
  constructor(timeline, gestures) {
    this.timeline = timeline;
    this.gestures = gestures;
  }

  /** Follow a drag whose operation is `opOf(moved)`; `onMove(op, shot)` shows what it does. */
  follow(event, shot, opOf, onMove) {
    document.querySelector("mnemo-player")?.stop();
    store.select([shot.shot_id]);
    const original = store.document;
    const place = store.playhead;
    let op = null;
    const move = (moved) => {
      op = opOf(moved);
      store.hold(applyEdit(original, op, store.engine.info));
      onMove(store.shots[store.indexOf(shot.shot_id)]);
    };
    this.gestures.track(event, move, (last) => {
      this.timeline.showLength(null);
      this.timeline.twoUp(null);
      const isDone = last && op && isChange(op, shot);
      store.release(isDone ? op : null);
      if (op && !isDone) store.seek(place);
    });
  }

  /** Drag an edge of a shot; what follows moves along. */
  trim(event, shot, edge) {
    const index = store.indexOf(shot.shot_id);
    const start = store.starts[index];
    const from = this.timeline.frameAt(event.clientX);
    const at = edge === "in" ? start : store.starts[index + 1];
    // Points after the edge move along with it, so only those that stand still can catch it.
    const inside = store.markers.map((marker) => marker.frame).filter((frame) => frame >= start && frame <= start + lengthOf(shot));
    const points = [store.playhead, ...inside, ...this.gestures.range()].map((point) => point - at + from);
    const opOf = (moved) => trimOp(shot, edge, Math.round(this.gestures.snapped(moved, points) - from));
    this.follow(event, shot, opOf, (now) => {
      const end = bareEnds(now).includes(edge) ? " · end of the take" : "";
      const change = signed(lengthOf(now) - lengthOf(shot));
      this.timeline.showLength(start, `${lengthOf(now)} frames (${change})${end}`);
      store.seek(edge === "in" ? start : start + lengthOf(now) - 1);
      const [left, right] = edge === "in" ? [shownBeside(index, -1), index] : [index, shownBeside(index, 1)];
      this.timeline.twoUp([pictureOf(left, "last"), pictureOf(right, "first")]);
    });
  }

  /** Drag the take under a shot: its cuts stay, it shows an earlier or a later part. */
  slip(event, shot) {
    if (!shot.take || shot.locked) {
      const why = shot.locked ? "is locked. Unlock it to slip it." : "has no take to slip.";
      store.announce(`${store.nameOf(shot.shot_id)} ${why}`, "bad");
      return;
    }
    const index = store.indexOf(shot.shot_id);
    const from = this.timeline.frameAt(event.clientX);
    const opOf = (moved) => {
      // The picture follows the hand: dragging to the right brings what came earlier.
      const delta = Math.round(from - this.timeline.frameAt(moved.clientX));
      return { kind: "trim", shot_id: shot.shot_id, ...slipped(shot, delta) };
    };
    this.follow(event, shot, opOf, (now) => {
      const left = now.in;
      const right = now.take.num_frames - now.out;
      this.timeline.showLength(store.starts[index], `slip ${signed(now.in - shot.in)} · ${left} before, ${right} after`);
      this.timeline.twoUp([pictureOf(index, "first"), pictureOf(index, "last")]);
    });
  }
}
