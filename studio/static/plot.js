/** Two measured lines over memory tokens: seconds a step, and fidelity of recall. */

const MARGIN = { left: 34, right: 34, top: 10, bottom: 20 };

function line(context, points, place) {
  context.beginPath();
  points.forEach((point, index) => {
    const [x, y] = place(point);
    if (index) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  context.stroke();
  for (const point of points) {
    const [x, y] = place(point);
    context.beginPath();
    context.arc(x, y, 2.5, 0, 7);
    context.fill();
  }
}

/** Draw `points` ({tokens, step_seconds, psnr}); `at` is marked, `most` ends the axis. */
export function plot(canvas, points, { at, most }) {
  const density = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  Object.assign(canvas, { width: Math.round(width * density), height: Math.round(height * density) });
  const context = canvas.getContext("2d");
  context.scale(density, density);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--mn-${name}`).trim();
  const box = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const x = (tokens) => MARGIN.left + (box.width * Math.min(tokens, most)) / most;
  const y = (share) => MARGIN.top + box.height * (1 - share);
  context.font = `10px ${colour("mono")}`;
  context.textBaseline = "middle";
  context.fillStyle = colour("dim");
  for (const tokens of [0, most / 4, most / 2, (most * 3) / 4, most]) {
    context.fillRect(x(tokens), y(0), 1, 4);
    const label = tokens >= 1000 ? `${tokens / 1000}k` : String(tokens);
    context.fillText(label, x(tokens) - 4 * label.length / 2, height - 7);
  }
  context.strokeStyle = colour("line-strong");
  context.strokeRect(MARGIN.left, MARGIN.top, box.width, box.height);
  context.fillStyle = colour("line-strong");
  context.fillRect(x(at), MARGIN.top, 1, box.height);
  const timed = points.filter((point) => point.step_seconds !== null);
  const slowest = Math.max(0.01, ...timed.map((point) => point.step_seconds));
  context.strokeStyle = context.fillStyle = colour("accent");
  line(context, timed, (point) => [x(point.tokens), y(point.step_seconds / slowest)]);
  context.fillText(`${slowest.toFixed(slowest < 1 ? 2 : 1)} s`, 2, MARGIN.top + 4);
  const held = points.filter((point) => point.psnr !== null);
  if (!held.length) return;
  const best = Math.max(...held.map((point) => point.psnr));
  context.strokeStyle = context.fillStyle = colour("good");
  line(context, held, (point) => [x(point.tokens), y(point.psnr / (best * 1.1))]);
  context.fillText(`${best.toFixed(0)} dB`, width - MARGIN.right + 4, y(1 / 1.1));
}
