// One rater's votes in the browser: the lines of a file of votes, each kept for itself and never changed.
//
// Two windows add lines beside each other's. Where the browser keeps nothing, the lines live as long as the page.

const WIDTH = 6; // digits of a line's number

/** The lines of one rater on one study.
 *
 * @param {string} study the digest of the design.
 * @param {string} rater the code.
 * @param {Storage|Map} kept where lines are kept.
 */
export function voteLog(study, rater, kept) {
  const beginning = `${prefix(study)}${rater}/`;
  const keys = () => keysOf(kept).filter((key) => key.startsWith(beginning)).sort();

  function append(values) {
    const there = keys();
    const number = there.length ? 1 + parseInt(there.at(-1).slice(beginning.length), 10) : 0;
    const key = `${beginning}${String(number).padStart(WIDTH, "0")}-${hex(4)}`;
    setLine(kept, key, JSON.stringify({ study, rater, ...values }));
  }

  /** All lines; one of two windows that answered at the same moment was first, and the other's is left out. */
  function lines() {
    const standing = new Map();
    return keys()
      .map((key) => getLine(kept, key))
      .filter((text) => {
        const { consented, id, trial, supersedes } = JSON.parse(text);
        if (consented !== undefined) return true;
        if (standing.get(trial) !== supersedes) return false;
        standing.set(trial, id);
        return true;
      });
  }

  return {
    consented: () => lines().some((text) => JSON.parse(text).consented !== undefined),
    consent: () => append({ consented: today() }),
    /** The votes that stand, by the number of their trial. */
    standing() {
      const votes = lines().map((text) => JSON.parse(text)).filter((line) => line.consented === undefined);
      return new Map(votes.map((vote) => [vote.trial, vote])); // a later vote of a trial supersedes the earlier
    },
    /** How often a trial was answered. */
    count: (trial) => lines().filter((text) => JSON.parse(text).trial === trial).length,
    /** Append a vote that supersedes another one, or none. */
    add({ trial, answer, seconds, screen }, supersedes) {
      append({ id: hex(16), trial, answer, seconds, screen, supersedes, day: today() });
    },
    /** The file of votes. */
    text: () => lines().map((line) => `${line}\n`).join(""),
  };
}

/** The code that a study was voted on with last in this browser; empty for none. */
export const lastCode = (study, kept) => getLine(kept, `${prefix(study)}last`) ?? "";

/** Keep the code that a study is voted on with. */
export const keepCode = (study, code, kept) => setLine(kept, `${prefix(study)}last`, code);

/** The browser's storage; null where it keeps nothing for this page. */
export function browserStorage() {
  try {
    const storage = window.localStorage;
    storage.setItem("lorarar-study/try", "1");
    storage.removeItem("lorarar-study/try");
    return storage;
  } catch {
    return null;
  }
}

/** Random bytes as hexadecimal digits. */
function hex(bytes) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const prefix = (study) => `lorarar-study/${study}/`;
const today = () => new Date().toISOString().slice(0, 10);
const keysOf = (kept) => (kept instanceof Map ? [...kept.keys()] : Object.keys(kept));
const getLine = (kept, key) => (kept instanceof Map ? kept.get(key) : kept.getItem(key)) ?? null;
const setLine = (kept, key, text) => (kept instanceof Map ? kept.set(key, text) : kept.setItem(key, text));
