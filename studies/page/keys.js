// Which key does what, in one table for each kind of study; the help lists the same rows.

/** The keys of a trial: rows of [what it does, its keys, their names for people, what they do in words]. */
export function trialKeys(kind, answers, labels) {
  const keys = {
    left: [["1", "ArrowLeft"], "1 or \u2190"],
    similar: [["0", " ", "ArrowDown"], "0, space or \u2193"],
    right: [["2", "ArrowRight"], "2 or \u2192"],
  };
  const rows = answers.map((answer, number) => {
    const [names, words] = kind === "ab" ? keys[answer] : [[String(number + 1)], String(number + 1)];
    return { act: { answer }, keys: names, words, does: labels[number] };
  });
  return [...rows, ...OTHERS];
}

const OTHERS = [
  { act: { command: "zoom" }, keys: ["z"], words: "z", does: "Enlarge the pictures; the references with x" },
  { act: { command: "references" }, keys: ["x"], words: "", does: "" },
  { act: { command: "undo" }, keys: ["u", "Backspace"], words: "u or backspace", does: "Undo: back to the answer before" },
  { act: { command: "pause" }, keys: ["p"], words: "p", does: "Pause; you can go on later" },
  { act: { command: "help" }, keys: ["?", "h"], words: "?", does: "This help" },
];

/** The name of the pressed key, a digit also where a keyboard wants Shift for it; empty where it is not for the page. */
export function pressed(event) {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return "";
  const digit = /^Digit(\d)$/.exec(event.code);
  if (digit && !/^\d$/.test(event.key) && !event.shiftKey) return digit[1];
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

/** Whether a key belongs to what has the focus: Enter and space to a button, everything to a field. */
export function isTaken(event) {
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest("input, textarea, select")) return true;
  return Boolean(target.closest("button, a, summary")) && ["Enter", " "].includes(event.key);
}
