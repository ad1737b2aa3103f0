"""Consent, the instruction with its worked example (Figure A4), thanks."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Static

from lorarar.util.errors import LorarError
from studies.errors import UnsavedVoteError
from studies.rater.answer_keys import signs_of
from tui.notices import notify_error
from tui.text import block, line
from tui.voting.messages import Agreed, Failed, InstructionRead, Resumed
from tui.voting.trial_pictures import TrialPictures
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from studies.rater.session import Session
    from tui.picture_mode import PictureMode
    from tui.voting.writer import SessionWriter


class IntroductionScreen(Screen[None]):
    """A box of words and buttons, as these screens share it."""

    DEFAULT_CSS = """
    IntroductionScreen > VerticalScroll { align: center middle; height: 1fr; }
    IntroductionScreen .box { width: 78; max-width: 100%; height: auto; }
    IntroductionScreen .box { border: round $primary; padding: 1 2; background: $surface; }
    IntroductionScreen .buttons { width: 78; max-width: 100%; height: 3; align: center middle; margin-top: 1; }
    IntroductionScreen Button { margin: 0 2; }
    """


class ConsentScreen(IntroductionScreen):
    """Asks for consent; nothing is kept of a rater who has not agreed."""

    HELP = "Read what is kept, and agree or leave."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "agree", "I agree"),
        Binding("n,escape", "app.leave", "Leave"),
    ]

    def __init__(self, session: Session, writer: SessionWriter) -> None:
        super().__init__()
        self.session, self.writer = session, writer

    def compose(self) -> ComposeResult:
        text = Text("Before you begin\n\n", "bold")
        text.append(block(self.session.introduction.consent), "not bold")
        text.append("\n\nYour code is ", "not bold").append(line(self.session.code), "bold")
        text.append(". Note it down: with it you can go on later, or have your answers deleted.", "not bold")
        with VerticalScroll():
            yield Static(text, classes="box")
            with Horizontal(classes="buttons"):
                yield Button("I agree (y)", id="agree", variant="primary", action="screen.agree")
                yield Button("Leave (n)", id="leave", action="app.leave")
            yield Static("", id="saving", classes="hint")
        yield KeyBar()

    def action_agree(self) -> None:
        """Keep that the rater agrees, and go on."""
        if not self.writer.busy:
            self.run_worker(self._consent(self.writer.start(self.session.consent)))

    async def _consent(self, written: Awaitable[None]) -> None:
        self.query_one("#saving", Static).update("Saving…")
        try:
            await written
        except UnsavedVoteError as error:
            notify_error(self, error)
            self.query_one("#saving", Static).update("")
        except LorarError as error:
            self.post_message(Failed(error))
        else:
            self.post_message(Agreed())


class ExampleScreen(IntroductionScreen):
    """The instruction, with one item whose answer is explained."""

    HELP = "The instruction with a worked example. Enter goes on to an item for practice."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "go_on", "Go on")]
    DEFAULT_CSS = """
    ExampleScreen #instruction { height: auto; max-height: 10; padding: 0 1; background: $surface; }
    ExampleScreen #reason { height: auto; padding: 0 1; background: $boost; }
    """

    def __init__(self, session: Session, picture_mode: PictureMode) -> None:
        super().__init__()
        self.session, self.picture_mode = session, picture_mode

    def compose(self) -> ComposeResult:
        words, example = self.session.introduction, self.session.introduction.example
        yield Static(Text(block(words.instruction)), id="instruction")
        yield TrialPictures(self.picture_mode, options=len(example.options))
        yield Static("", id="reason")
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the example and its answer."""
        words, example = self.session.introduction, self.session.introduction.example
        self.query_one(TrialPictures).show(example.subject, example.style, example.options)
        label = words.labels[words.answers.index(example.answer)]
        text = Text("Here the answer is ").append(f"{signs_of(example.answer)[0]} {line(label)}", "bold")
        text.append(f": {line(example.reason)} ").append("Enter goes on.", "dim")
        self.query_one("#reason", Static).update(text)

    def on_click(self) -> None:
        """Go on, as Enter does."""
        self.action_go_on()

    def action_go_on(self) -> None:
        """Go on to the trials."""
        self.post_message(InstructionRead())


class ThanksScreen(IntroductionScreen):
    """Thanks a rater who has answered everything."""

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
        yield KeyBar()

    def action_undo(self) -> None:
        """Go back to the last answer."""
        if self.session.undo() is not None:
            self.post_message(Resumed())
