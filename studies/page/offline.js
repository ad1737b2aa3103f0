// A session in one file without a server: votes are kept by the browser, and saved as a file for `study import`.

import { browserStorage, keepCode, lastCode, voteLog } from "./vote_log.js";
import { SessionError } from "./session_error.js";
import { trialsOf } from "./trials.js";

/** The session of a rater on the study that the page holds.
 *
 * @param {object} study design, introduction, practice and codes, as `studies/page/offline_page.py` writes them.
 * @param {(digest: string) => string} picture the address of a picture.
 */
export function offline(study, picture) {
  const { design, introduction, practice, codes } = study;
  const storage = browserStorage();
  const kept = storage ?? new Map();
  let code = lastCode(design.digest, kept) || newCode(codes);
  let trials = null;
  let votes = null;
  let back = null; // the number of a trial whose answer is being changed
  let unsaved = false; // votes that live in the page alone
  let before = null; // the vote that the rater sees as standing

  window.addEventListener("beforeunload", (event) => !storage && unsaved && event.preventDefault());

  async function ready() {
    if (!window.crypto?.subtle) throw new SessionError(NO_DIGESTS, { final: true });
    trials ??= await trialsOf(design, code);
    votes ??= voteLog(design.digest, code, kept);
  }

  async function state() {
    await ready();
    const standing = votes.standing();
    const at = current(standing);
    const following = trials.find((trial) => trial.number !== at && !standing.has(trial.number));
    before = standing.get(at)?.id;
    return {
      code,
      kind: design.kind,
      consented: votes.consented(),
      introduction,
      progress: { done: standing.size, total: trials.length },
      trial: trials[at] ? shown(trials[at], standing.get(at)) : null,
      can_undo: earlier(standing).length > 0,
      next: following ? [following.subject, following.style, ...following.options].map(picture) : [],
      closed: false,
    };
  }

  const open = (standing) => trials.find((trial) => !standing.has(trial.number));
  const current = (standing) => back ?? open(standing)?.number ?? trials.length;
  const earlier = (standing) => [...standing.keys()].filter((number) => number < current(standing));

  function shown(trial, vote) {
    const practised = trial.purpose === "practice";
    const answer = { left: "right", right: "left" }[practice.answer];
    return {
      number: trial.number,
      practice: practised,
      subject: picture(trial.subject),
      style: picture(trial.style),
      options: trial.options.map(picture),
      before: vote?.answer ?? null,
      expected: practised ? ((trial.mirrored && answer) || practice.answer) : null,
      reason: practised ? practice.reason : "",
    };
  }

  /** Keep something, or say that the browser has no room for it. */
  function keep(write) {
    try {
      write();
    } catch {
      throw new SessionError("The browser could not keep this; is its storage full? Try again.");
    }
  }

  return {
    words: {
      pause: storage
        ? "You can close this page, and go on later by opening it again in this browser, on this device."
        : "Leave this page open until you go on.",
      thanks: "They are on this device alone: save them as a file, and send that to whoever asked you.",
    },
    warning: storage ? "" : "This browser keeps nothing for this page: save your answers before you close it.",
    state,
    async consent() {
      await ready();
      keep(() => {
        keepCode(design.digest, code, kept);
        if (!votes.consented()) votes.consent();
      });
      return state();
    },
    async vote(vote) {
      await ready();
      const standing = votes.standing();
      if (vote.trial !== current(standing) || standing.get(vote.trial)?.id !== before) {
        back = null;
        throw new SessionError("Another window has answered here already; go on here.", { state: await state() });
      }
      if (votes.count(vote.trial) >= study.most_votes) {
        back = null;
        throw new SessionError("This answer was given too often; it stays as it was.", { state: await state() });
      }
      keep(() => votes.add(vote, before));
      [back, unsaved] = [null, true];
      return state();
    },
    async undo() {
      await ready();
      const numbers = earlier(votes.standing());
      if (numbers.length) back = Math.max(...numbers);
      return state();
    },
    /** Go on as the rater of another code; without one, as a new rater. */
    async enter(text = newCode(codes)) {
      const typed = text.trim().toUpperCase();
      if (!new RegExp(`^(?:${codes.pattern})$`).test(typed) || typed.startsWith(codes.simulated))
        throw new SessionError("This is no code; a code has 3 to 32 letters, digits and hyphens.", { refused: true });
      [code, trials, votes, back] = [typed, null, null, null];
      return state();
    },
    /** Save the votes as a file; returns what to tell the rater. */
    save() {
      const name = `${code}.votes.jsonl`;
      const address = URL.createObjectURL(new Blob([votes.text()], { type: "application/jsonl" }));
      const link = Object.assign(document.createElement("a"), { href: address, download: name });
      link.click();
      unsaved = false;
      setTimeout(() => URL.revokeObjectURL(address), 60000);
      return `Saved as ${name}, where this browser saves files.`;
    },
  };
}

const NO_DIGESTS =
  "This browser cannot compute from a file in which order to show pictures; open the page in another one, such as a current Firefox or Chrome.";

/** A random code; each letter is as likely as another. */
function newCode({ letters, length }) {
  let code = "";
  while (code.length < length) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < letters.length * Math.floor(256 / letters.length)) code += letters[byte % letters.length];
  }
  return code;
}
