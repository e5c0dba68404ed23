/** What is wrong with the layout of the page as it stands: a list of sentences, empty when nothing is. */
() => {
  const CONTROLS = "button,input,select,textarea,a[href],summary,[role=tab]";
  const SLACK = 1.5;
  const SLIVER = 4; // what a scrolled list shows of its next row: nothing that can be pressed
  const found = [];

  const everything = (root, list = []) => {
    for (const element of root.querySelectorAll("*")) {
      list.push(element);
      if (element.shadowRoot) everything(element.shadowRoot, list);
    }
    return list;
  };
  const parentOf = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host ?? null;
  const holds = (outer, inner) => {
    for (let node = inner; node; node = parentOf(node)) if (node === outer) return true;
    return false;
  };
  const topmost = (x, y) => {
    let element = document.elementFromPoint(x, y);
    while (element?.shadowRoot) {
      const inner = element.shadowRoot.elementFromPoint(x, y);
      if (!inner || inner === element) break;
      element = inner;
    }
    return element;
  };
  const nameOf = (element) => {
    const text = (element.getAttribute("aria-label") || element.textContent || element.id || "").trim();
    const host = element.getRootNode().host?.localName ?? "page";
    return `${host} ${element.localName}.${element.className.baseVal ?? element.className} "${text.slice(0, 40)}"`;
  };
  const overlap = (a, b) => ({
    left: Math.max(a.left, b.left), top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom),
  });
  const isEmpty = (box) => box.right - box.left < SLACK || box.bottom - box.top < SLACK;

  /** The part of an element that is not scrolled away; `isCut` where something hides it for good. */
  const shownPart = (element) => {
    let box = element.getBoundingClientRect();
    let isCut = false;
    for (let node = parentOf(element); node; node = parentOf(node)) {
      const { overflowX, overflowY, position } = getComputedStyle(node);
      const clips = (value) => value !== "visible";
      if (!clips(overflowX) && !clips(overflowY)) continue;
      if (node === document.body || node === document.documentElement) continue;
      const frame = node.getBoundingClientRect();
      const inner = overlap(box, frame);
      const scrolls = (value) => value === "auto" || value === "scroll";
      const losesX = inner.right - inner.left < box.right - box.left - SLACK;
      const losesY = inner.bottom - inner.top < box.bottom - box.top - SLACK;
      if ((losesX && clips(overflowX) && !scrolls(overflowX)) || (losesY && clips(overflowY) && !scrolls(overflowY))) isCut = true;
      box = inner;
      if (isEmpty(box) || position === "fixed") break;
    }
    return { box, isCut };
  };

  /** The control that stands over a line of an element's own text, if one does. */
  const controlOver = (element) => {
    const range = document.createRange();
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      range.selectNodeContents(node);
      for (const line of range.getClientRects()) {
        const box = overlap(line, shownPart(element).box);
        if (isEmpty(box)) continue;
        for (const share of [0.1, 0.5, 0.9]) {
          const above = topmost(box.left + share * (box.right - box.left), (box.top + box.bottom) / 2);
          const control = above?.closest?.(CONTROLS);
          if (control && !holds(control, element) && !holds(element, control)) return control;
        }
      }
    }
    return null;
  };

  const { scrollWidth, scrollHeight } = document.documentElement;
  if (scrollWidth > innerWidth) found.push(`the page is ${scrollWidth} wide in a window of ${innerWidth}`);
  const isDesk = document.documentElement.dataset.screen === "desk";
  if (isDesk && scrollHeight > innerHeight) found.push(`the page is ${scrollHeight} high in a window of ${innerHeight}`);

  const visible = everything(document).filter((element) => element.checkVisibility({
    opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true,
  }));
  const dialog = visible.find((element) => element.localName === "dialog" && element.matches(":modal"));
  const inScope = visible.filter((element) => !dialog || holds(dialog, element));
  for (const element of inScope) {
    const whole = element.getBoundingClientRect();
    if (whole.width < 2 || whole.height < 2) continue;
    const style = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const isControl = element.matches(CONTROLS) && style.pointerEvents !== "none";
    if (!hasText && !isControl) continue;
    const { box, isCut } = shownPart(element);
    // What is scrolled away, or pushed out by a list that scrolls, can be reached.
    if (isEmpty(box)) continue;
    if (isControl && isCut) found.push(`cut off: ${nameOf(element)}`);
    if (isControl && (whole.left < -SLACK || box.right > innerWidth + SLACK || box.bottom > innerHeight + SLACK)) {
      if (isDesk || dialog) found.push(`outside of the window: ${nameOf(element)}`);
    }
    const isShortened = style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
    const spills = element.scrollWidth > element.clientWidth + SLACK && element.clientWidth > 0;
    if (hasText && spills && !isShortened && style.display !== "inline" && style.overflowX !== "auto" && style.overflowX !== "scroll") {
      found.push(`text wider than its place: ${nameOf(element)}`);
    }
    if (hasText && style.pointerEvents !== "none") {
      const over = controlOver(element);
      if (over) found.push(`text under a control: ${nameOf(element)} is under ${nameOf(over)}`);
    }
    if (!isControl) continue;
    const x = (box.left + box.right) / 2;
    const y = (box.top + box.bottom) / 2;
    if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) continue;
    if (whole.height > SLIVER && box.bottom - box.top < SLIVER) continue;
    const above = topmost(x, y);
    const label = element.labels?.[0];
    if (above && !holds(element, above) && !holds(above, element) && !(label && holds(label, above))) {
      found.push(`${nameOf(element)} is covered by ${nameOf(above)}`);
    }
  }
  return [...new Set(found)];
}
