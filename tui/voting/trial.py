"""A trial: references, options without names, and keys that answer once the pictures are up.

A vote is on disk before the next pictures show; while it is written nothing is taken, and what was pressed before the
pictures came up counts for nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Key
from textual.screen import Screen
from textual.widgets import ProgressBar, Static

from lorarar.util.errors import LorarError
from studies.errors import RefusedVoteError, UnsavedVoteError
from studies.rater.answer_keys import ANSWER_KEYS
from studies.rater.votes import LEAST_LOOK
from studies.rater.votes import Screen as ScreenFacts
from tui.notices import notify_error
from tui.private_api import bind_keys
from tui.text import line
from tui.voting.answer_bar import AnswerBar, AnswerLabel
from tui.voting.messages import Failed, Finished
from tui.voting.trial_pictures import FramedPicture, TrialPictures
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from studies.rater.design import VoteAnswer
    from studies.rater.session import Session, ShownTrial
    from tui.picture_mode import PictureMode
    from tui.voting.writer import SessionWriter

TIMED = {"enter", "space", "u", "backspace", *chain.from_iterable(ANSWER_KEYS.values())}  # keys that have their moment
SILENT = 0.2  # seconds of saving before it is said, so that words do not flicker

#: Where a trial is: its pictures come up; it can be answered; the window is too small for that; the answer is being
#: written; it could not be; it was of practice, and what was right is on the screen.
Phase = Literal["opening", "asking", "small", "saving", "unsaved", "explained"]


@dataclass(frozen=True)
class GivenAnswer:
    """An answer that is not on disk yet."""

    answer: VoteAnswer
    seconds: float
    facts: ScreenFacts


class TrialScreen(Screen[None]):
    """Shows all trials of a rater, one after the other."""

    HELP = "Compare the options with subject and style, and answer by key or by a click on an answer or an option."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "Go on"),
        Binding("enter", "retry", "Try again"),
        Binding("u,backspace", "undo", "Undo"),
    ]
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    TrialScreen #top { height: 1; background: $panel; padding: 0 1; }
    TrialScreen #purpose { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TrialScreen ProgressBar { width: auto; }
    """

    def __init__(self, session: Session, picture_mode: PictureMode, writer: SessionWriter) -> None:
        super().__init__()
        self.session, self.picture_mode, self.writer = session, picture_mode, writer
        self.trial: ShownTrial | None = None  # None: none is left
        self.phase: Phase = "opening"
        self.since: float | None = None  # when the pictures were up and large enough, by the monotonic clock
        self.open_from = inf  # what was pressed before this moment counts for nothing
        self.given: GivenAnswer | None = None
        words = session.introduction
        for answer, label in zip(words.answers, words.labels, strict=True):
            bind_keys(self, ",".join(ANSWER_KEYS[answer]), f"answer('{answer}')", line(label, 30))

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("", id="purpose")
            yield ProgressBar(show_eta=False, total=max(self.session.progress.total, 1))
        yield TrialPictures(self.picture_mode, options=2 if self.session.design.kind == "ab" else 1)
        yield AnswerBar(self.session.introduction)
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the first trial without a vote."""
        self._next()

    def on_resize(self) -> None:
        """Take no answer where the window has become too small, until it is larger again."""
        self.call_after_refresh(self._look_at_size)

    def on_screen_resume(self) -> None:
        """Look at the size again: the window may have changed under the help."""
        self.call_after_refresh(self._look_at_size)

    def on_key(self, event: Key) -> None:
        """Drop what was pressed before the pictures, or what is said now, were on the screen."""
        if event.key in TIMED and event.time < self.open_from:
            event.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does something now; the help and the bar list no others."""
        phases: dict[str, tuple[Phase, ...]] = {
            "answer": ("asking",),
            "go_on": ("explained",),
            "retry": ("unsaved",),
            "undo": ("asking", "small", "explained"),
        }
        return self.phase in phases.get(action, (self.phase,))

    def action_answer(self, answer: VoteAnswer) -> None:
        """Vote, unless nobody can have looked yet."""
        if self.phase != "asking" or self.since is None or self._look_at_size():
            return
        seconds = monotonic() - self.since
        if seconds >= LEAST_LOOK:
            self.given = GivenAnswer(answer, seconds, self.query_one(TrialPictures).screen_facts())
            self._start_saving()

    def action_retry(self) -> None:
        """Write an answer that could not be written before."""
        self._start_saving()

    def action_go_on(self) -> None:
        """Leave the explanation of a practice item."""
        self._next()

    def action_undo(self) -> None:
        """Go back to the answer before."""
        try:
            trial = self.session.undo()
        except LorarError as error:
            self.post_message(Failed(error))
            return
        if trial is None:
            self.notify("this is the first")
        else:
            self._show(trial)

    def on_answer_label_clicked(self, event: AnswerLabel.Clicked) -> None:
        """Answer, as the keys do."""
        self.action_answer(event.answer)

    def on_framed_picture_clicked(self, event: FramedPicture.Clicked) -> None:
        """Choose an option of two by a click on it."""
        if self.phase == "explained":
            self._next()
        elif self.session.design.kind == "ab" and event.frame.id in ("option-1", "option-2"):
            self.action_answer("left" if event.frame.id == "option-1" else "right")

    def _start_saving(self) -> None:
        """Begin to write the answer; from this moment on no key gives another."""
        if self.trial is not None and self.given is not None:
            self._enter("saving")
            given = self.given
            written = self.writer.start(partial(self.session.vote, given.answer, given.seconds, given.facts))
            self.run_worker(self._save(self.trial, given, written))

    async def _save(self, trial: ShownTrial, given: GivenAnswer, written: Awaitable[None]) -> None:
        """Go on when an answer is written; the vote is on disk before anything else happens."""
        words = self.set_timer(SILENT, lambda: self._say(Text("Saving…")))
        try:
            await written
        except UnsavedVoteError as error:
            words.stop()
            self._enter("unsaved", Text(f"{_sentence(line(error))} with Enter.", "yellow"))
        except RefusedVoteError as error:
            words.stop()
            notify_error(self, error)
            self._reload()
        except LorarError as error:
            self.post_message(Failed(error))
        else:
            words.stop()
            self.given = None
            if trial.expected is None:
                self._next()
            else:
                self._explain(trial, given.answer == trial.expected)

    def _reload(self) -> None:
        """Go on with what another window of the rater's has left."""
        try:
            self.session.reload()
        except LorarError as error:
            self.post_message(Failed(error))
        else:
            self._next()

    def _next(self) -> None:
        """Show the trial that comes next; where none does, no key can answer any more."""
        try:
            trial = self.session.current()
        except LorarError as error:
            self.post_message(Failed(error))
            return
        if trial is None:
            self.trial = None
            self._enter("opening")
            self.post_message(Finished())
        else:
            self._show(trial)

    def _show(self, trial: ShownTrial) -> None:
        self.trial, self.since = trial, None
        self._enter("opening")
        self.open_from = inf
        self.query_one(TrialPictures).show(trial.subject, trial.style, trial.options)
        question = "Which option is better?" if len(trial.options) > 1 else "What does the image show as it should?"
        text = Text().append("Practice. " if trial.purpose == "practice" else "", "bold").append(question)
        if trial.before is not None:
            text.append(f" You answered: {self._label(trial.before)}", "yellow")
        self.query_one("#purpose", Static).update(text)
        self.query_one(ProgressBar).update(progress=trial.progress.done)
        self.call_after_refresh(self.call_after_refresh, self._open)  # a new size of pictures is drawn by the second

    def _open(self) -> None:
        """Take answers from now on, when the pictures are on the screen."""
        if self.phase == "opening" and self.trial is not None:
            self._ask()

    def _ask(self) -> None:
        """Let the rater answer, or say that the window is too small to judge by."""
        if small := self.query_one(TrialPictures).smallness():
            self._enter("small", Text(f"{_sentence(small)}. No answer is taken until then.", "yellow"))
            return
        now = monotonic()
        self._enter("asking")
        self.since = now if self.since is None else self.since
        self.open_from = now + LEAST_LOOK

    def _look_at_size(self) -> bool:
        """Whether the window is too small now; what is said of it follows."""
        if self.phase in ("asking", "small"):
            small = bool(self.query_one(TrialPictures).smallness())
            if small != (self.phase == "small"):
                self._ask()
        return self.phase == "small"

    def _explain(self, trial: ShownTrial, right: bool) -> None:
        """Say what the answer to a practice item is, and why."""
        assert trial.expected is not None
        text = Text().append("Right. " if right else "Not quite. ", "bold green" if right else "bold yellow")
        text.append(f"{self._label(trial.expected)}: {line(trial.reason)} ").append("Enter goes on.", "dim")
        self._enter("explained", text)

    def _enter(self, phase: Phase, notice: Text | None = None) -> None:
        """Begin a phase, with a notice in the place of the answers or with the answers."""
        self.phase = phase
        self.open_from = monotonic()
        self._say(notice or Text())
        self.refresh_bindings()

    def _say(self, text: Text) -> None:
        self.query_one(AnswerBar).say(text)

    def _label(self, answer: VoteAnswer) -> str:
        """The words of an answer."""
        words = self.session.introduction
        return line(words.labels[words.answers.index(answer)], 30)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
