"""The app around the voting screens, and which of them comes next."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from studies.rater.session import Session
from tui.image_mode import Drawing
from tui.voting.introduction import ConsentScreen, ExampleScreen, ThanksScreen
from tui.voting.trial import TrialScreen


class BallotApp(App[None]):
    """One rater, one study."""

    TITLE = "A study"
    CSS_PATH = "../app.tcss"
    ENABLE_COMMAND_PALETTE = False  # nothing that could tell a method is a key away
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q", "leave", "Pause and leave", key_display="q"),
        Binding("question_mark", "help", "Help", key_display="?"),
    ]

    def __init__(self, session: Session, drawing: Drawing) -> None:
        super().__init__()
        self.session, self.drawing = session, drawing

    def on_mount(self) -> None:
        """Consent and instruction for who is new; who comes back goes on where they were."""
        if not self.session.consented:
            self.push_screen(ConsentScreen(self.session))
        elif self.session.progress.done == 0:
            self.push_screen(ExampleScreen(self.session, self.drawing))
        else:
            self.go_on()

    def agreed(self) -> None:
        """After consent."""
        self.switch_screen(ExampleScreen(self.session, self.drawing))

    def go_on(self) -> None:
        """To the first trial without a vote, or thanks."""
        screen = ThanksScreen(self.session) if self.session.finished else TrialScreen(self.session, self.drawing)
        if len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def action_leave(self) -> None:
        """Every vote is on disk already."""
        self.exit()

    def action_help(self) -> None:
        """Keys."""
        from tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))
