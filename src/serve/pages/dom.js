// Makes elements. Whatever is shown goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

// el("td", {class: "number", scope: "row"}, "text", node, null, …): attributes that are null, undefined or false are
// left out, true is an empty one, and a function is a listener ("onclick").
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const kSvg = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(kSvg, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

export function show(element, visible = true) {
  element.hidden = !visible;
  return element;
}

// A text in a live region. It is emptied first, or the same text twice would be read once.
export function say(element, text) {
  element.textContent = "";
  element.textContent = text;
}

// The one place of a page for what went wrong; "" takes it away.
export function showProblem(error) {
  const place = byId("problem");
  show(place, Boolean(error));
  place.textContent = error ? sentence(error) : "";
  if (error) place.scrollIntoView({ block: "nearest" });
}

export function sentence(error) {
  const text = error.message || String(error);
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  const ended = /[.!?]$/.test(begun) ? begun : `${begun}.`;
  return error.requestId ? `${ended} (request ${error.requestId})` : ended;
}

// <dl> of [name, value] pairs; values are texts or nodes.
export function facts(pairs) {
  return el(
    "dl",
    { class: "facts" },
    pairs
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

export const chip = (text, kind = "") => el("span", { class: `chip ${kind}`.trim() }, text);

// Runs a form's work instead of sending it.
export function onSubmit(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    work();
  });
}
