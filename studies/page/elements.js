// Elements of the page. Text goes in as text, never as markup, so that no word of a study can be code.

/** An element with attributes and children, elements or texts; an attribute that is a function is a handler.
 *
 * Children that are null, false or empty are left out.
 */
export function element(name, attributes = {}, ...children) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") one.addEventListener(key, value);
    else if (value !== false && value !== undefined) one.setAttribute(key, value === true ? "" : value);
  }
  one.append(...children.filter(Boolean));
  return one;
}

/** A button that says what it does, and which key does it; `name` is for readers of screens, where words are a sign. */
export function button(words, act, { key = "", kind = "", title = "", name = "" } = {}) {
  const attributes = { type: "button", class: kind, click: act };
  for (const [attribute, value] of [["title", title], ["aria-label", name], ["aria-keyshortcuts", key]])
    if (value) attributes[attribute] = value;
  return element("button", attributes, element("span", {}, words), key && element("kbd", { "aria-hidden": "true" }, key));
}

/** Paragraphs of a text, which ends one by an empty line and breaks a line by its end. */
export function paragraphs(text) {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((words) => element("p", { class: "words" }, words));
}
