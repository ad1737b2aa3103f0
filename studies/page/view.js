// Leads one rater through one study. It knows what a session says, not where votes are kept.
//
// A session has state(), consent(), vote(vote), undo(), each a promise of the state; words.pause and words.thanks, how
// to come back and what is left to do; perhaps warning, enter(code) and save(). What it throws is a SessionError.

import { button, element } from "./elements.js";
import { openHelp } from "./help.js";
import { consentScreen, exampleScreen, messageScreen, pauseScreen, thanksScreen } from "./introduction.js";
import { isTaken, pressed, trialKeys } from "./keys.js";
import { decoded, fetchBeforehand } from "./pictures.js";
import { SessionError } from "./session_error.js";
import { trialScreen } from "./trial.js";
import { openZoom } from "./zoom.js";

const LEAST_LOOK = 0.2; // seconds; who presses so soon pressed for what was there before
const MOST = 86400; // seconds that a vote can say

/** Lead a rater from consent to thanks. */
export function start(session) {
  const page = document.querySelector("#page");
  const status = document.querySelector("#status");
  let state = null; // as the session said last
  let screen = { keys: {} }; // what is on the page
  let busy = false; // a call is on its way, or pictures are: nothing is answered meanwhile
  const beBusy = (is) => page.setAttribute("aria-busy", String((busy = is)));
  let read = false; // the instruction

  const say = (words) => (status.textContent = words);
  const another = session.enter && (() => enter());
  const save = session.save && (() => say(session.save()));

  /** Ask the session for something, show the state that comes of it, or what went wrong and a way to try again. */
  async function perform(words, call, again = call) {
    if (busy) return;
    beBusy(true);
    say(words);
    document.querySelector(".error")?.remove();
    try {
      await call();
      say("");
    } catch (error) {
      say("");
      await fail(error, () => perform(words, again, again));
    } finally {
      beBusy(false);
    }
  }

  async function fail(error, again) {
    if (error.final) return show(messageScreen("A study", error.message));
    if (error.state) {
      await lead(error.state);
      return screen.say ? screen.say(error.message) : say(error.message);
    }
    if (!(error instanceof SessionError)) console.error(error);
    const words = error instanceof SessionError ? error.message : "Something went wrong; try again.";
    const anew = error.pictures ? () => perform("loading\u2026", () => lead(state)) : again; // no vote twice
    const way = error.refused
      ? button("Close", () => document.querySelector(".error").remove(), { key: "Enter" })
      : button("Try again", anew, { key: "Enter", kind: "primary" });
    document.body.append(element("div", { class: "error", role: "alert" }, element("p", {}, words), way));
    return way.focus();
  }

  /** Show what comes next; `spent` seconds were on this trial before a pause. */
  async function lead(next, spent = 0) {
    state = next;
    if (state.closed) return show(messageScreen("Thank you", "This study is closed: it takes no more answers."));
    if (!state.consented) return show(consentScreen(state, { agree, leave, enter: session.enter && enter }));
    if (state.trial === null) return show(thanksScreen(state, session, { undo, save, another }));
    if (state.progress.done === 0 && !read) {
      const one = exampleScreen(state, { goOn, zoom: zoomOf(state.introduction.example) });
      await decoded(one.board);
      show(one);
    } else await showTrial(spent);
    return fetchBeforehand([...(read ? [] : picturesOf(state.trial)), ...state.next]);
  }

  function show(next) {
    screen = next;
    page.replaceChildren(screen.root);
    window.scrollTo(0, 0);
    screen.focus.focus({ preventScroll: true });
  }

  async function showTrial(spent) {
    read = true;
    const trial = state.trial;
    const zoom = zoomOf(trial);
    const one = trialScreen(state, { answer, undo, pause, help, zoom });
    one.trial = trial;
    one.spent = spent;
    one.since = null; // nobody answers what is not on the screen yet
    one.act = { undo, pause, help, zoom: () => zoom("options"), references: () => zoom("references") };
    await decoded(one.board);
    show(one);
    await new Promise((frame) => requestAnimationFrame(frame));
    one.since = performance.now();
    one.say(one.tooSmall());
  }

  const shownFor = (moment) => (screen.since === null ? 0 : screen.spent + (moment - screen.since) / 1000);
  const isUp = (event) => screen.trial && screen.since !== null && event.timeStamp - screen.since > 1000 * LEAST_LOOK;

  /** Answer the trial that is on the screen; what was pressed before it was, or twice, counts for nothing. */
  function answer(choice, event) {
    if (busy || !isUp(event) || event.detail > 1) return;
    const small = screen.tooSmall();
    if (small) return void screen.say(small);
    const { trial } = screen;
    const vote = { trial: trial.number, answer: choice, seconds: Math.min(MOST, shownFor(performance.now())), screen: screen.facts() };
    perform("saving\u2026", async () => {
      const next = await session.vote(vote);
      if (trial.expected === null) return lead(next);
      screen.since = null;
      screen.keys = { Enter: () => goOn(), " ": () => goOn() };
      state = next;
      return screen.explain(choice, goOn);
    });
  }

  const agree = () => perform("saving\u2026", async () => lead(await session.consent()));
  const enter = (code) => perform("loading\u2026", async () => ((read = false), lead(await session.enter(code))));
  const leave = () =>
    show(messageScreen("You have left", "Nothing is kept of you. You can close this page.", () => open()));
  const open = () => perform("loading\u2026", async () => lead(await session.state()));
  const goOn = () => perform("loading\u2026", () => ((read = true), lead(state)));

  function undo() {
    if (!state.can_undo) return void (screen.say ?? say)("This is the first.");
    // where the way back is lost, the state says whether the session went back
    return perform("going back\u2026", async () => lead(await session.undo()), async () => lead(await session.state()));
  }

  function pause() {
    if (busy || !screen.trial) return;
    const spent = shownFor(performance.now());
    show(pauseScreen(state, session, { save, goOn: () => perform("loading\u2026", () => lead(state, spent)) }));
  }

  function help() {
    openHelp(state, () => screen.focus.focus({ preventScroll: true }));
  }

  const zoomOf = (trial) => (group, event) => {
    const names = { references: ["Subject", "Style"], options: trial.options.length > 1 ? ["Option 1", "Option 2"] : ["Image"] };
    const addresses = { references: [trial.subject, trial.style], options: trial.options };
    const pictures = names[group].map((name, number) => ({ name, address: addresses[group][number] }));
    const back = event?.detail === 0 ? event.currentTarget : screen.focus; // by a key: back to the picture
    openZoom(pictures, () => back.focus({ preventScroll: true }));
  };

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isTaken(event)) return;
    const key = pressed(event);
    const act = screen.keys?.[key] ?? trialAct(key, event);
    if (!act) return;
    event.preventDefault();
    if (!busy) act();
  });

  function trialAct(key, event) {
    if (!screen.trial) return null;
    const { answers, labels } = state.introduction;
    const row = trialKeys(state.kind, answers, labels).find((one) => one.keys.includes(key));
    if (!row) return null;
    return row.act.answer ? () => answer(row.act.answer, event) : screen.act[row.act.command];
  }

  return open();
}

const picturesOf = (trial) => (trial ? [trial.subject, trial.style, ...trial.options] : []);
