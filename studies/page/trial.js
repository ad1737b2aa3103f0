// A trial on the page: the question, how far the rater is, pictures, answers.

import { button, element } from "./elements.js";
import { shownSize, trialPictures } from "./pictures.js";

const LEAST = 40; // pixels a side, below which nobody can judge a picture

/** Build the screen of a trial.
 *
 * @param {object} state what the session says.
 * @param {object} acts answer(answer, event), undo(), pause(), help(), zoom(group, event).
 */
export function trialScreen(state, acts) {
  const { trial, kind, introduction, progress } = state;
  const label = (answer) => introduction.labels[introduction.answers.indexOf(answer)];
  const pictures = trialPictures(trial, acts.zoom);
  const question = kind === "ab" ? "Which option is better?" : "What does the image show as it should?";
  const before = trial.before && `You answered: ${label(trial.before)}`;
  const far = `${progress.done} of ${progress.total}`;
  const notice = element("p", { class: "notice", role: "status" });
  const answers = element(
    "div",
    { class: `answers ${kind}`, role: "group", "aria-label": "Your answer" },
    ...introduction.answers.map((answer, number) =>
      button(introduction.labels[number], (event) => acts.answer(answer, event), {
        key: kind === "ab" ? { left: "1", similar: "0", right: "2" }[answer] : String(number + 1),
        kind: "answer",
      }),
    ),
  );
  const root = element(
    "div",
    { class: "trial" },
    element(
      "header",
      {},
      element(
        "h1",
        { tabindex: "-1", "aria-label": [trial.practice && "Practice.", question, `${far} answered.`, before].filter(Boolean).join(" ") },
        trial.practice && element("span", { class: "tag" }, "Practice"),
        question,
        before && element("span", { class: "before" }, before),
      ),
      element(
        "div",
        { class: "progress" },
        element("progress", { max: progress.total, value: progress.done, "aria-label": "Answered" }),
        element("span", {}, far),
      ),
      element(
        "div",
        { class: "tools" },
        button("Undo", acts.undo, { title: "Back to the answer before (u)" }),
        button("Pause", acts.pause, { title: "Go on later (p)" }),
        button("Help", acts.help, { title: "Keys and instruction (?)" }),
      ),
    ),
    pictures.board,
    element("footer", {}, notice, answers),
  );
  root.querySelector(".tools button").disabled = !state.can_undo;

  return {
    root,
    board: pictures.board,
    focus: root.querySelector("h1"),
    /** How the pictures are shown, as it is kept with a vote. */
    facts() {
      const [picture_width, picture_height] = shownSize(pictures.options[0]);
      const cells = { columns: 0, rows: 0, cell_width: 0, cell_height: 0 };
      return { renderer: "browser", ...cells, picture_width, picture_height, colours: 16777216 };
    },
    /** Why the pictures are too small to judge by; empty where they are not. */
    tooSmall() {
      const [width, height] = shownSize(pictures.options[0]);
      return Math.min(width, height) < LEAST ? "This window is too small to judge pictures by; enlarge it." : "";
    },
    say(words) {
      notice.replaceChildren(words);
    },
    /** Say what the right answer of a practice item is, and wait for the rater to go on. */
    explain(answer, goOn) {
      const right = answer === trial.expected;
      notice.replaceChildren(
        element("b", {}, right ? "Right. " : "Not quite. "),
        `${label(trial.expected)}: ${trial.reason}`,
      );
      const next = button("Go on", goOn, { key: "Enter", kind: "primary" });
      answers.replaceWith(element("div", { class: "answers" }, next));
      next.focus();
    },
  };
}
