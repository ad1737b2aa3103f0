// Pictures: fetched beforehand, decoded before they are shown, and how large one is shown.

import { element } from "./elements.js";
import { SessionError } from "./session_error.js";

const fetched = new Map(); // address -> a picture on its way or there

/** Begin to fetch pictures that will be needed, and forget those that will not. */
export function fetchBeforehand(addresses) {
  for (const address of [...fetched.keys()]) if (!addresses.includes(address)) fetched.delete(address);
  for (const address of addresses) {
    if (fetched.has(address)) continue;
    const picture = new Image();
    picture.src = address;
    picture.decode().catch(() => fetched.delete(address)); // it is asked for again when it is needed
    fetched.set(address, picture);
  }
}

/** References and options as figures; `enlarge(group, event)` is called for the one that is clicked. */
export function trialPictures({ subject, style, options }, enlarge) {
  const names = options.length > 1 ? options.map((_, number) => `Option ${number + 1}`) : ["Image"];
  const figures = {
    references: [figure("Subject", subject, "references", enlarge), figure("Style", style, "references", enlarge)],
    options: options.map((address, number) => figure(names[number], address, "options", enlarge)),
  };
  return {
    ...figures,
    board: element(
      "div",
      { class: `board of-${options.length}` },
      element("div", { class: "references", role: "group", "aria-label": "References" }, ...figures.references),
      element("div", { class: "options", role: "group", "aria-label": "Options" }, ...figures.options),
    ),
  };
}

/** Wait until every picture in an element is there to the last pixel.
 *
 * @throws {SessionError} one cannot be had.
 */
export async function decoded(board) {
  const pictures = [...board.querySelectorAll("img")];
  try {
    await Promise.all(pictures.map((picture) => picture.decode()));
  } catch {
    throw new SessionError("The pictures could not be loaded; try again.", { pictures: true });
  }
  const ratio = ({ naturalWidth, naturalHeight }) => String(naturalWidth / naturalHeight);
  for (const picture of pictures) picture.style.setProperty("--ratio", ratio(picture));
  board.style.setProperty("--option-ratio", ratio(board.querySelector(".options img")));
}

/** The width and height of a picture in pixels of the screen. */
export function shownSize(figure) {
  const box = figure.querySelector("img").getBoundingClientRect();
  return [box.width, box.height].map((side) => Math.min(100000, Math.round(side * window.devicePixelRatio)));
}

function figure(name, address, group, enlarge) {
  const picture = fetched.get(address) ?? element("img", { src: address });
  fetched.delete(address); // it is on the page from now on
  picture.alt = name;
  picture.draggable = false;
  const open = (event) => enlarge(group, event);
  return element(
    "figure",
    {},
    element("figcaption", { "aria-hidden": "true" }, name),
    element("button", { type: "button", class: "picture", title: "Enlarge", click: open }, picture),
  );
}
