// Elements without markup from strings: text from catalogues and filenames never becomes HTML.

export const byId = (id) => document.getElementById(id);

export function create(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function setText(element, text) {
  // A live region is read out again whenever it is written, so unchanged text is left alone.
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, wanted) {
  if (element.hidden === Boolean(wanted)) element.hidden = !wanted;
}

/** A problem in the place where it arose; read out at once. Without text it goes away. */
export function showProblem(element, text = "") {
  show(element, text);
  setText(element, text);
}
