"""A trial: references, options without names, keys 1, 2, 3; the vote is on disk before the next pictures show."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Button, ProgressBar, Static

from lorarar.util.errors import LorarError
from tui.notices import notify_error
from tui.text import line
from tui.voting.messages import Finished
from tui.voting.trial_pictures import FramedPicture, TrialPictures
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from studies.rater.design import VoteAnswer
    from studies.rater.session import Session, ShownTrial
    from tui.picture_mode import PictureMode


class TrialScreen(Screen[None]):
    """Shows all trials of a rater, one after the other."""

    HELP = (
        "Compare the options with subject and style, and answer by key or by a click. u goes back to change an answer."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "answer(0)", show=False),
        Binding("2", "answer(1)", show=False),
        Binding("3", "answer(2)", show=False),
        Binding("4", "answer(3)", show=False),
        Binding("u,backspace", "undo", "Undo"),
        Binding("enter,space", "go_on", "Go on", show=False),
    ]
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    TrialScreen #top { height: 1; background: $panel; padding: 0 1; }
    TrialScreen #purpose { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TrialScreen ProgressBar { width: auto; }
    TrialScreen #notice { height: auto; max-height: 3; padding: 0 1; background: $boost; display: none; }
    TrialScreen #notice.open { display: block; }
    TrialScreen #answers { height: 1; align: center middle; }
    TrialScreen #answers Button { width: auto; min-width: 14; height: 1; border: none; margin: 0 1; }
    """

    def __init__(self, session: Session, picture_mode: PictureMode) -> None:
        super().__init__()
        self.session, self.picture_mode = session, picture_mode
        self.trial: ShownTrial | None = None  # None: none is left
        self.since: float | None = None  # when the pictures came to the screen, by the monotonic clock
        self.explained = False  # practice is answered, and what was right is on the screen

    def compose(self) -> ComposeResult:
        words = self.session.introduction
        with Horizontal(id="top"):
            yield Static("", id="purpose")
            yield ProgressBar(show_eta=False, total=max(self.session.progress.total, 1))
        yield TrialPictures(self.picture_mode, options=2 if self.session.design.kind == "ab" else 1)
        yield Static("", id="notice")
        with Horizontal(id="answers"):
            for number, label in enumerate(words.labels):
                yield Button(Text(f"{number + 1} {line(label, 30)}"), id=f"answer-{number}", compact=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the first trial without a vote."""
        self._next()

    def on_resize(self) -> None:
        """Tell the rater if the terminal is too small now."""
        self.call_after_refresh(self._warn)

    def action_answer(self, number: int) -> None:
        """Vote; the vote is on disk before anything else happens."""
        words, trial = self.session.introduction, self.trial
        if trial is None or self.since is None or self.explained or number >= len(words.answers):
            return  # nobody votes on what they have not seen
        answer = words.answers[number]
        try:
            self.session.vote(answer, monotonic() - self.since, self.query_one(TrialPictures).screen_facts())
        except LorarError as error:
            self.session.reload()
            notify_error(self, error)
            self._next()
            return
        if trial.expected is not None:
            self._explain(trial, answer == trial.expected)
        else:
            self._next()

    def action_go_on(self) -> None:
        """Leave the explanation of a practice item."""
        if self.explained:
            self._next()

    def action_undo(self) -> None:
        """Go back to the answer before."""
        trial = self.session.undo()
        if trial is None:
            self.notify("this is the first")
        else:
            self._show(trial)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer, as the keys do."""
        if self.explained:
            self._next()
        else:
            self.action_answer(int(str(event.button.id).removeprefix("answer-")))

    def on_framed_picture_clicked(self, event: FramedPicture.Clicked) -> None:
        """Choose an option of two by a click on it."""
        if self.explained:
            self._next()
        elif self.session.design.kind == "ab" and event.frame.id in ("option-1", "option-2"):
            self.action_answer(0 if event.frame.id == "option-1" else 2)

    def _next(self) -> None:
        """Show the trial that comes next; where none does, no key can answer any more."""
        self.trial = self.session.current()
        if self.trial is None:
            self.post_message(Finished())
        else:
            self._show(self.trial)

    def _show(self, trial: ShownTrial) -> None:
        self.trial, self.explained, self.since = trial, False, None
        self.query_one(TrialPictures).show(trial.subject, trial.style, trial.options)
        question = "Which option is better?" if len(trial.options) > 1 else "What does the image show as it should?"
        text = Text().append("Practice. " if trial.purpose == "practice" else "", "bold").append(question)
        if trial.before is not None:
            text.append(f" You answered: {self._label(trial.before)}", "yellow")
        self.query_one("#purpose", Static).update(text)
        self.query_one(ProgressBar).update(progress=trial.progress.done)
        self.call_after_refresh(self._start_clock)

    def _start_clock(self) -> None:
        """Count seconds from now, when the pictures are on the screen."""
        self.since = monotonic()
        self._warn()

    def _warn(self) -> None:
        """Tell the rater if the terminal is too small to judge by."""
        if not self.explained:
            self._say(Text(self.query_one(TrialPictures).too_small(), "yellow"))

    def _explain(self, trial: ShownTrial, right: bool) -> None:
        """Say what the answer to a practice item is, and why."""
        self.explained = True
        assert trial.expected is not None
        text = Text().append("Right. " if right else "Not quite. ", "bold green" if right else "bold yellow")
        text.append(f"{self._label(trial.expected)}: {line(trial.reason)} ").append("Enter goes on.", "dim")
        self._say(text)

    def _say(self, text: Text) -> None:
        notice = self.query_one("#notice", Static)
        notice.set_class(bool(text.plain), "open")
        notice.update(text)

    def _label(self, answer: VoteAnswer) -> str:
        """The words of an answer."""
        words = self.session.introduction
        return line(words.labels[words.answers.index(answer)], 30)
