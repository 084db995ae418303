"""What holds for every page: nothing sticks out, everything has a name, and text can be read."""

# Elements wider than the window that no scrolling part of the page holds.
WIDER = """
  const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  if (!wide) return [];
  const scrolls = (at) => at && (["auto", "scroll"].includes(getComputedStyle(at).overflowX) || scrolls(at.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !scrolls(each.parentElement))
    .map((each) => each.outerHTML.slice(0, 120)).concat(["page"]);
"""

# Controls without a name, tables without a caption or heads, pictures without an alternative, ids that are there twice.
NAMELESS = """
  const faults = [];
  const named = (each) => each.getAttribute("aria-label") || each.getAttribute("aria-labelledby") || each.textContent.trim();
  for (const each of document.querySelectorAll("button, a[href], summary"))
    if (!named(each) && !each.closest("[hidden]")) faults.push(each.outerHTML);
  for (const each of document.querySelectorAll("input, select, textarea"))
    if (!each.labels.length && !each.getAttribute("aria-label")) faults.push(each.outerHTML);
  for (const each of document.querySelectorAll("table"))
    if (!each.caption?.textContent || [...each.querySelectorAll("thead th")].some((head) => head.scope !== "col")) faults.push(each.outerHTML.slice(0, 200));
  for (const each of document.querySelectorAll("img:not([alt]), canvas:not([aria-label])")) faults.push(each.outerHTML);
  for (const each of document.querySelectorAll("dialog, section[aria-labelledby], nav:not([aria-label])"))
    if (!each.getAttribute("aria-label") && !document.getElementById(each.getAttribute("aria-labelledby"))) faults.push(each.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  faults.push(...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `twice: ${id}`));
  if (document.querySelectorAll("h1").length !== 1) faults.push("h1");
  if (!document.documentElement.lang) faults.push("lang");
  return faults;
"""

# Texts whose contrast to their ground is below what WCAG 2.2 asks for at level AA (4.5, large ones 3).
PALE = """
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const over = (top, below) => top.length < 4 ? top : [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const ground = (each) => {
    if (!each) return [255, 255, 255];
    const colour = parts(getComputedStyle(each).backgroundColor);
    return colour.length < 4 ? colour : over(colour, ground(each.parentElement));
  };
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const each = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !each.checkVisibility() || each.closest(":disabled, .offscreen, option")) continue;
    const style = getComputedStyle(each);
    const below = ground(each);
    const [a, b] = [light(over(parts(style.color), below)), light(below)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5)) found.add(`${contrast.toFixed(2)} ${style.color} on ${below}: ${walk.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return [...found];
"""

# Charts that show nothing: a canvas whose dots are all alike.
BLANK = """
  return [...document.querySelectorAll("canvas")].filter((each) => {
    if (!each.width || !each.height) return true;
    const copy = new OffscreenCanvas(each.width, each.height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(each, 0, 0);
    const dots = new Uint32Array(copy.getImageData(0, 0, each.width, each.height).data.buffer);
    return dots.every((dot) => dot === dots[0]);
  }).map((each) => each.getAttribute("aria-label"));
"""
