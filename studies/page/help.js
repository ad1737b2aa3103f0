// The help: every key that counts, and the instruction once more.

import { button, element, paragraphs } from "./elements.js";
import { pressed, trialKeys } from "./keys.js";

/** Open the help over the page. */
export function openHelp(state, closed) {
  const { introduction, kind } = state;
  const rows = trialKeys(kind, introduction.answers, introduction.labels).filter((row) => row.words);
  const shut = () => dialog.close();
  const dialog = element(
    "dialog",
    { class: "help", "aria-label": "Help", close: () => (dialog.remove(), closed()) },
    element(
      "table",
      { class: "keys" },
      element("caption", {}, "Keys"),
      ...rows.map(({ words, does }) =>
        element("tr", {}, element("th", { scope: "row" }, words), element("td", {}, does)),
      ),
      element("tr", {}, element("th", { scope: "row" }, "Escape"), element("td", {}, "Close what is open over the page")),
    ),
    element("p", { class: "words keys" }, "Every key has a button as well. A click or a tap on a picture enlarges it."),
    element("h2", {}, "Instruction"),
    ...paragraphs(introduction.instruction),
    element("div", { class: "buttons close" }, button("Close", shut, { key: "Escape", kind: "primary" })),
  );
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (["?", "h"].includes(pressed(event))) shut();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector(".primary").focus();
  dialog.scrollTop = 0;
}
