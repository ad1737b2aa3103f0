// A session on a server: each answer is on its disk before the next pictures come.

import { SessionError } from "./session_error.js";

const PATIENCE = 30000; // milliseconds that an answer of the server may take

/** The session of the rater whom the cookie names. */
export function served() {
  let lost = null; // a trial whose vote was sent, and whether it arrived is not known

  async function vote(vote) {
    const before = lost;
    lost = null;
    try {
      return await ask("/vote", vote);
    } catch (error) {
      if (error.state && before === vote.trial) return error.state; // it had arrived
      if (!error.state) lost = error.unknown ? vote.trial : before;
      throw error;
    }
  }

  return {
    words: {
      pause: "You can close this page, and go on later by the same link.",
      thanks: "You can close this page.",
    },
    state: () => ask("/state"),
    consent: () => ask("/consent", {}),
    undo: () => ask("/undo", {}),
    vote,
  };
}

async function ask(path, body) {
  const sent = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let reply;
  try {
    reply = await fetch(path, { ...sent, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw Object.assign(new SessionError("The study does not answer; is there a connection? Try again."), { unknown: true });
  }
  const said = await reply.json().catch(() => null);
  if (reply.ok && said) return said;
  const words = said?.error ?? "The study cannot be reached just now; try again.";
  throw new SessionError(words, { state: said?.state ?? null, final: reply.status === 403 });
}
