/* What is read off the page as it is shown; an expression that a test evaluates. */
(() => {
const deep = function* (root) {
  for (const one of root.querySelectorAll("*")) {
    yield one;
    if (one.shadowRoot) yield* deep(one.shadowRoot);
  }
};
const above = (one) => one.parentElement ?? one.getRootNode().host ?? null;

const contrast = (lowest) => {
const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const known = new Map();
const read = (colour) => {
  if (!known.has(colour)) {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
    known.set(colour, { rgb: [r, g, b], a: a / 255 });
  }
  return known.get(colour);
};
const over = (top, under) => top.rgb.map((value, at) => value * top.a + under[at] * (1 - top.a));
const light = (rgb) => {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
/* Every colour that can lie under an element: a gradient counts with each of its colours. */
const grounds = (one) => {
  const layers = [];
  for (let at = one; at; at = above(at)) {
    const { backgroundColor, backgroundImage } = getComputedStyle(at);
    if (backgroundImage.includes("url(")) return null;
    const stops = backgroundImage.match(/(rgba?|color)\([^()]*\)/g);
    const layer = stops ? stops.map(read) : [read(backgroundColor)];
    layers.push(layer);
    if (layer.every((colour) => colour.a === 1)) break;
  }
  let under = [[0, 0, 0]];
  for (const layer of layers.reverse()) under = under.flatMap((below) => layer.map((colour) => over(colour, below)));
  return under;
};
const opacity = (one) => {
  let share = 1;
  for (let at = one; at; at = above(at)) share *= Number(getComputedStyle(at).opacity);
  return share;
};
const isShown = (one) => {
  const { width, height } = one.getBoundingClientRect();
  return width > 1 && height > 1 && one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
};
const faults = [];
let seen = 0;
for (const one of deep(document)) {
  const isField = one.matches("input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select");
  const text = isField ? one.value || one.placeholder
    : [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join(" ");
  if (!text || !isShown(one) || one.closest(":disabled, option")) continue;
  const style = getComputedStyle(one, isField && !one.value ? "::placeholder" : null);
  const colour = read(style.color);
  const under = colour.a ? grounds(one) : null;
  if (!under) continue;
  seen += 1;
  const share = colour.a * opacity(one) * (isField && !one.value ? Number(style.opacity) : 1);
  const worst = Math.min(...under.map((ground) => ratio(over({ rgb: colour.rgb, a: share }, ground), ground)));
  if (worst < lowest) faults.push(`${worst.toFixed(2)} ${one.localName}.${one.className} ${text.slice(0, 40)}`);
}
return { faults, seen };
};

const positive = () => [...deep(document)].filter((one) => one.tabIndex > 0).map((one) => one.outerHTML.slice(0, 80));

const live = () => [...deep(document)]
  .filter((one) => one.ariaLive || ["status", "alert"].includes(one.getAttribute("role"))).length;

const focus = () => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  if (!one || one === document.body) return null;
  const isMarked = (at) => {
    if (!at) return false;
    const style = getComputedStyle(at);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none";
  };
  const name = one.ariaLabel || one.labels?.[0]?.textContent || one.textContent || one.localName;
  return { name: name.trim().slice(0, 60), kind: one.localName, isMarked: isMarked(one) || isMarked(one.parentElement) };
};

return { contrast, positive, live, focus };
})()
