"""Consent, the instruction with its worked example (Figure A4), thanks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Static

from lorarar.util.errors import LorarError
from tui.text import block, line
from tui.voting.pictures import Pictures
from tui.widgets.key_bar import Keys

if TYPE_CHECKING:
    from studies.rater.session import Session
    from tui.image_mode import Drawing
    from tui.voting.app import BallotApp


class Words(Screen[None]):
    """What these screens share: a box of words and buttons."""

    DEFAULT_CSS = """
    Words > VerticalScroll { align: center middle; height: 1fr; }
    Words .box { width: 78; max-width: 100%; height: auto; border: round $primary; padding: 1 2; background: $surface; }
    Words .buttons { width: 78; max-width: 100%; height: 3; align: center middle; margin-top: 1; }
    Words Button { margin: 0 2; }
    """

    @property
    def ballot(self) -> BallotApp:
        """The app."""
        return cast("BallotApp", self.app)


class ConsentScreen(Words):
    """Nothing is kept of a rater who has not agreed."""

    HELP = "Read what is kept, and agree or leave."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "agree", "I agree"),
        Binding("n,escape", "app.leave", "Leave"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        text = Text("Before you begin\n\n", "bold")
        text.append(block(self.session.introduction.consent), "not bold")
        text.append("\n\nYour code is ", "not bold").append(line(self.session.code), "bold")
        text.append(". Note it down: with it you can go on later, or have your answers deleted.", "not bold")
        with VerticalScroll():
            yield Static(text, classes="box")
            with Horizontal(classes="buttons"):
                yield Button("I agree (y)", id="agree", variant="primary")
                yield Button("Leave (n)", id="leave")
        yield Keys()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """As the keys do."""
        if event.button.id == "agree":
            self.action_agree()
        else:
            self.ballot.action_leave()

    def action_agree(self) -> None:
        """Keep that they agreed, and go on."""
        try:
            self.session.consent()
        except LorarError as error:
            self.notify(line(error), severity="error", markup=False)
        else:
            self.ballot.agreed()


class ExampleScreen(Words):
    """What to do, shown on one item."""

    HELP = "The instruction with a worked example. Enter goes on to an item for practice."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "go_on", "Go on")]
    DEFAULT_CSS = """
    ExampleScreen #instruction { height: auto; max-height: 10; padding: 0 1; background: $surface; }
    ExampleScreen #reason { height: auto; padding: 0 1; background: $boost; }
    """

    def __init__(self, session: Session, drawing: Drawing) -> None:
        super().__init__()
        self.session, self.drawing = session, drawing

    def compose(self) -> ComposeResult:
        words, example = self.session.introduction, self.session.introduction.example
        yield Static(Text(block(words.instruction)), id="instruction")
        yield Pictures(
            self.drawing, len(example.options), ("option 1", "option 2") if len(example.options) > 1 else ("image",)
        )
        yield Static("", id="reason")
        yield Keys()

    def on_mount(self) -> None:
        """The example, and its answer."""
        words, example = self.session.introduction, self.session.introduction.example
        self.query_one(Pictures).show(example.subject, example.style, example.options)
        number = words.answers.index(example.answer)
        text = Text("Here the answer is ").append(f"{number + 1} {line(words.labels[number])}", "bold")
        text.append(f": {line(example.reason)} ").append("Enter goes on.", "dim")
        self.query_one("#reason", Static).update(text)

    def on_click(self) -> None:
        """A click goes on too."""
        self.action_go_on()

    def action_go_on(self) -> None:
        """To the trials."""
        self.ballot.go_on()


class ThanksScreen(Words):
    """All is answered."""

    HELP = "All is answered. u goes back to the last answer."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape", "app.leave", "Leave"),
        Binding("u,backspace", "undo", "Undo"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        text = Text("Thank you\n\n", "bold")
        text.append(f"All {self.session.progress.total} answers are kept. Your code was ", "not bold")
        text.append(line(self.session.code), "bold").append(".", "not bold")
        with VerticalScroll():
            yield Static(text, classes="box")
        yield Keys()

    def action_undo(self) -> None:
        """Back to the last answer."""
        if self.session.undo() is not None:
            self.ballot.go_on()
