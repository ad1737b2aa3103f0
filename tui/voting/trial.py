"""A trial: references, options without names, keys 1, 2, 3; the vote is on disk before the next pictures show."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Button, ProgressBar, Static

from lorarar.util.errors import LorarError
from tui.text import line
from tui.voting.pictures import Framed, Pictures
from tui.widgets.key_bar import Keys

if TYPE_CHECKING:
    from studies.rater.session import Session, ShownTrial
    from tui.image_mode import Drawing
    from tui.voting.app import BallotApp


class TrialScreen(Screen[None]):
    """All trials of a rater, one after the other."""

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
    TrialScreen #said { height: auto; max-height: 3; padding: 0 1; background: $boost; display: none; }
    TrialScreen #said.open { display: block; }
    TrialScreen #answers { height: 1; align: center middle; }
    TrialScreen #answers Button { width: auto; min-width: 14; height: 1; border: none; margin: 0 1; }
    """

    def __init__(self, session: Session, drawing: Drawing) -> None:
        super().__init__()
        self.session, self.drawing = session, drawing
        self._shown: ShownTrial | None = None
        self._since: float | None = None  # when the pictures came to the screen
        self._told = False  # practice is answered, and what was right is on the screen

    @property
    def ballot(self) -> BallotApp:
        """The app."""
        return cast("BallotApp", self.app)

    def compose(self) -> ComposeResult:
        words = self.session.introduction
        with Horizontal(id="top"):
            yield Static("", id="purpose")
            yield ProgressBar(show_eta=False, total=max(self.session.progress.total, 1))
        count = 2 if self.session.design.kind == "ab" else 1
        yield Pictures(self.drawing, count, ("option 1", "option 2") if count == 2 else ("image",))
        yield Static("", id="said")
        with Horizontal(id="answers"):
            for number, label in enumerate(words.labels):
                yield Button(Text(f"{number + 1} {line(label, 30)}"), id=f"answer-{number}", compact=True)
        yield Keys()

    def on_mount(self) -> None:
        """The first trial."""
        self._next()

    def on_resize(self) -> None:
        """Say it where the terminal is too small."""
        self.call_after_refresh(self._warn)

    def action_answer(self, number: int) -> None:
        """Vote; on disk before anything else happens."""
        words, shown = self.session.introduction, self._shown
        if shown is None or self._since is None or self._told or number >= len(words.answers):
            return  # nobody votes on what they have not seen
        answer = words.answers[number]
        try:
            self.session.vote(answer, monotonic() - self._since, self.query_one(Pictures).screen_facts())
        except LorarError as error:
            self.session.reload()
            self.notify(line(error), severity="error", markup=False)
            self._next()
            return
        if shown.expected is not None:
            self._tell(shown, answer == shown.expected)
        else:
            self._next()

    def action_go_on(self) -> None:
        """After practice."""
        if self._told:
            self._next()

    def action_undo(self) -> None:
        """Back to the answer before."""
        shown = self.session.undo()
        if shown is None:
            self.notify("this is the first")
        else:
            self._show(shown)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """As the keys do."""
        if self._told:
            self._next()
        else:
            self.action_answer(int(str(event.button.id).removeprefix("answer-")))

    def on_framed_clicked(self, event: Framed.Clicked) -> None:
        """A click on an option of two chooses it."""
        if self._told:
            self._next()
        elif self.session.design.kind == "ab" and event.framed.id in ("option-1", "option-2"):
            self.action_answer(0 if event.framed.id == "option-1" else 2)

    def _next(self) -> None:
        shown = self.session.current()
        if shown is None:
            self.ballot.go_on()
        else:
            self._show(shown)

    def _show(self, shown: ShownTrial) -> None:
        self._shown, self._told, self._since = shown, False, None
        self.query_one(Pictures).show(shown.subject, shown.style, shown.options)
        question = "Which option is better?" if len(shown.options) > 1 else "What does the image show as it should?"
        text = Text().append("Practice. " if shown.purpose == "practice" else "", "bold").append(question)
        if shown.before is not None:
            words = self.session.introduction
            label = words.labels[words.answers.index(shown.before)]
            text.append(f" You answered: {line(label, 30)}", "yellow")
        self.query_one("#purpose", Static).update(text)
        self.query_one(ProgressBar).update(progress=shown.progress.done)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """The pictures are on the screen: the clock runs from here."""
        self._since = monotonic()
        self._warn()

    def _warn(self) -> None:
        if not self._told:
            self._say(Text(self.query_one(Pictures).too_small(), "yellow"))

    def _tell(self, shown: ShownTrial, right: bool) -> None:
        """After practice: what is right, and why."""
        self._told = True
        words = self.session.introduction
        assert shown.expected is not None
        label = words.labels[words.answers.index(shown.expected)]
        text = Text().append("Right. " if right else "Not quite. ", "bold green" if right else "bold yellow")
        text.append(f"{line(label, 30)}: {line(shown.reason)} ").append("Enter goes on.", "dim")
        self._say(text)

    def _say(self, text: Text) -> None:
        said = self.query_one("#said", Static)
        said.set_class(bool(text.plain), "open")
        said.update(text)
