// Pictures enlarged: two at once with the same crop, moved by a finger, the mouse or keys.

import { button, element } from "./elements.js";
import { pressed } from "./keys.js";

const LARGEST = 16; // times the size that fits
const STEP = 1.5;
const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Open pictures over the page.
 *
 * @param {{name: string, address: string}[]} pictures one or two.
 * @param {() => void} closed is called when they are closed.
 */
export function openZoom(pictures, closed) {
  const crop = { scale: 1, x: 0, y: 0 }; // shared, in widths and heights of a pane
  const panes = pictures.map(({ name, address }) =>
    element(
      "figure",
      {},
      element("figcaption", { "aria-hidden": "true" }, name),
      element("div", { class: "pane" }, element("img", { src: address, alt: `${name}, enlarged`, draggable: "false" })),
    ),
  );
  const images = panes.map((pane) => pane.querySelector("img"));
  const whole = button("Full size", () => toggle(), { key: "f", title: "One pixel of a picture on one of the screen" });
  const dialog = element(
    "dialog",
    { class: "zoom", "aria-label": "Enlarged pictures", close: () => (dialog.remove(), closed()) },
    element("div", { class: `panes of-${panes.length}` }, ...panes),
    element(
      "div",
      { class: "tools" },
      button("\u2212", () => scaleBy(1 / STEP), { title: "Smaller (\u2212)", name: "Smaller" }),
      button("+", () => scaleBy(STEP), { title: "Larger (+)", name: "Larger" }),
      whole,
      button("Close", () => dialog.close(), { key: "Escape", kind: "primary" }),
    ),
  );

  /** Pixels of the screen for one of the picture, where it just fits. */
  function fit() {
    const [one] = images;
    const across = one.offsetWidth / (one.naturalWidth || 1);
    return (Math.min(across, one.offsetHeight / (one.naturalHeight || 1)) || 1) * window.devicePixelRatio;
  }

  const isFull = () => Math.abs(crop.scale * fit() - 1) < 0.01;
  const toggle = () => scaleTo(isFull() ? 1 : 1 / fit());

  function show() {
    const room = (crop.scale - 1) / 2; // so much may be moved until an edge comes in
    crop.x = Math.max(-room, Math.min(room, crop.x));
    crop.y = Math.max(-room, Math.min(room, crop.y));
    for (const image of images)
      image.style.transform = `translate(${crop.x * 100}%, ${crop.y * 100}%) scale(${crop.scale})`;
    whole.hidden = fit() >= 1; // a small picture is larger than that already
    whole.firstChild.textContent = isFull() ? "Whole picture" : "Full size";
  }

  function scaleTo(scale) {
    const before = crop.scale;
    crop.scale = Math.max(1, Math.min(LARGEST, scale));
    crop.x *= crop.scale / before;
    crop.y *= crop.scale / before;
    show();
  }
  const scaleBy = (factor) => scaleTo(crop.scale * factor);

  function move(across, down) {
    crop.x += across;
    crop.y += down;
    show();
  }

  dialog.addEventListener("keydown", (event) => {
    const key = pressed(event) || (event.repeat && event.key); // moving goes on while a key is held
    event.stopPropagation();
    if (MOVES[key]) move(...MOVES[key].map((step) => step / 8));
    else if (key === "+" || key === "=") scaleBy(STEP);
    else if (key === "-") scaleBy(1 / STEP);
    else if (key === "f") toggle();
    else if (["z", "x", "Escape"].includes(key)) dialog.close();
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("wheel", (event) => (event.preventDefault(), scaleBy(event.deltaY < 0 ? 1.2 : 1 / 1.2)), {
    passive: false,
  });
  panes.forEach((pane, number) => followFingers(pane.querySelector(".pane"), images[number], { move, scaleBy, close: () => dialog.close() }));

  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector(".primary").focus();
  window.addEventListener("resize", show);
  dialog.addEventListener("close", () => window.removeEventListener("resize", show));
  Promise.allSettled(images.map((image) => image.decode())).then(() => scaleTo(1 / fit()));
}

/** One finger or the mouse moves, two scale, a tap that moves nothing closes. */
function followFingers(pane, image, { move, scaleBy, close }) {
  const fingers = new Map();
  let travelled = 0;
  const apart = () => {
    const [one, other] = [...fingers.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  pane.addEventListener("pointerdown", (event) => {
    pane.setPointerCapture(event.pointerId);
    if (fingers.size === 0) travelled = 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  pane.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const before = fingers.size === 2 ? apart() : 0;
    const [across, down] = [event.clientX - finger.x, event.clientY - finger.y];
    Object.assign(finger, { x: event.clientX, y: event.clientY });
    travelled += Math.hypot(across, down);
    if (fingers.size === 2 && before > 0) scaleBy(apart() / before);
    else if (fingers.size === 1) move(across / image.offsetWidth, down / image.offsetHeight);
  });
  const lift = (event) => {
    const alone = fingers.size === 1;
    fingers.delete(event.pointerId);
    if (event.type === "pointerup" && alone && travelled < 8) close();
  };
  pane.addEventListener("pointerup", lift);
  pane.addEventListener("pointercancel", lift);
}
