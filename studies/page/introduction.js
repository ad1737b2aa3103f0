// Consent, the instruction with its worked example, pause, thanks, and a message where nothing else is left.

import { button, element, paragraphs } from "./elements.js";
import { trialPictures } from "./pictures.js";

/** Asks for consent; nothing is kept of a rater who has not agreed. */
export function consentScreen(state, { agree, leave, enter }) {
  const code = state.code && [
    element("p", { class: "words" }, "Your code is ", element("b", { class: "code" }, state.code), ". Note it down: " +
      "with it you can go on later, or have your answers deleted."),
  ];
  return box(
    "Before you begin",
    [...paragraphs(state.introduction.consent), ...(code || []), enter && codeForm(enter)],
    [button("I agree", agree, { key: "y", kind: "primary" }), button("Leave", leave, { key: "n" })],
    { y: agree, Enter: agree, n: leave, Escape: leave },
  );
}

/** The instruction, with one item whose answer is explained (Figure A4). */
export function exampleScreen(state, { goOn, zoom }) {
  const { instruction, example, answers, labels } = state.introduction;
  const pictures = trialPictures(example, zoom);
  const root = element(
    "div",
    { class: "example" },
    element("h1", { tabindex: "-1" }, "What you are asked to do"),
    ...paragraphs(instruction),
    pictures.board,
    element(
      "footer",
      {},
      element(
        "p",
        { class: "notice" },
        "Here the answer is ",
        element("b", {}, labels[answers.indexOf(example.answer)]),
        `: ${example.reason}`,
      ),
      element("div", { class: "answers" }, button("Go on to an item for practice", goOn, { key: "Enter", kind: "primary" })),
    ),
  );
  const keys = { Enter: goOn, " ": goOn, z: () => zoom("options"), x: () => zoom("references") };
  return { root, board: pictures.board, focus: root.querySelector("h1"), keys };
}

/** A pause: what is kept, and how to go on. */
export function pauseScreen(state, session, { goOn, save }) {
  return box(
    "Pause",
    [
      element("p", { class: "words" }, `${state.progress.done} of ${state.progress.total} answered. ${session.words.pause}`),
      warning(session),
    ],
    [button("Go on", goOn, { key: "Enter", kind: "primary" }), save && button("Save my answers", save, { key: "s" })],
    { Enter: goOn, " ": goOn, p: goOn, Escape: goOn, s: save },
  );
}

/** Thanks a rater who has answered everything. */
export function thanksScreen(state, session, { undo, save, another }) {
  return box(
    "Thank you",
    [
      element("p", { class: "words" }, `All ${state.progress.total} answers are kept. ${session.words.thanks}`),
      state.code && element("p", { class: "words" }, "Your code was ", element("b", { class: "code" }, state.code), "."),
      warning(session),
    ],
    [
      save && button("Save my answers", save, { key: "s", kind: "primary" }),
      state.can_undo && button("Back to the last answer", undo, { key: "u" }),
      another && button("Start for another rater", another),
    ],
    { s: save, u: undo, Backspace: undo },
  );
}

/** One message, and a way on where there is one. */
export function messageScreen(title, words, goOn, back = "Back") {
  const keys = goOn ? { Enter: goOn, Escape: goOn } : {};
  return box(title, [element("p", { class: "words" }, words)], [goOn && button(back, goOn, { key: "Enter" })], keys);
}

function box(title, words, buttons, keys) {
  const root = element(
    "div",
    { class: "box" },
    element("h1", { tabindex: "-1" }, title),
    ...words,
    element("div", { class: "buttons" }, ...buttons),
  );
  return { root, focus: root.querySelector("h1"), keys };
}

const CODE = "\\s*[A-Za-z0-9][A-Za-z0-9\\-]{2,31}\\s*";

function warning(session) {
  return session.warning && element("p", { class: "words warning" }, session.warning);
}

/** A rater who has a code already types it in. */
function codeForm(enter) {
  const field = element("input", { id: "code", autocomplete: "off", spellcheck: "false", required: true, pattern: CODE });
  const submit = (event) => (event.preventDefault(), enter(field.value));
  return element(
    "details",
    {},
    element("summary", {}, "I have a code already"),
    element(
      "form",
      { submit },
      element("label", { for: "code" }, "Code"),
      field,
      element("button", { type: "submit" }, element("span", {}, "Use it")),
    ),
  );
}
