"""The app around the voting screens, and which of them comes next."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from lorarar.util.errors import LorarError
from studies.rater.session import Session
from tui.contrast import LegibleApp
from tui.picture_mode import PictureMode
from tui.voting.introduction import ConsentScreen, ExampleScreen, ThanksScreen
from tui.voting.messages import Failed
from tui.voting.trial import TrialScreen
from tui.voting.writer import SessionWriter


class VotingApp(LegibleApp[None]):
    """Leads one rater through one study; its screens say by messages when they are done."""

    TITLE = "A study"
    CSS_PATH = "../app.tcss"
    ENABLE_COMMAND_PALETTE = False  # nothing that could tell a method is a key away
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q", "leave", "Pause and leave", key_display="q"),
        Binding("question_mark", "help", "Help", key_display="?"),
    ]

    def __init__(self, session: Session, picture_mode: PictureMode) -> None:
        super().__init__()
        self.session, self.picture_mode = session, picture_mode
        self.writer = SessionWriter()
        self.failure: LorarError | None = None  # why the session could not go on

    def on_mount(self) -> None:
        """Show consent and instruction to a new rater; one who comes back goes on with the trials."""
        if not self.session.consented:
            self.push_screen(ConsentScreen(self.session, self.writer))
        elif self.session.progress.done == 0:
            self.push_screen(ExampleScreen(self.session, self.picture_mode))
        else:
            self.push_screen(self._trial_or_thanks())

    def on_agreed(self) -> None:
        """Show the instruction."""
        self.switch_screen(ExampleScreen(self.session, self.picture_mode))

    def on_instruction_read(self) -> None:
        """Show the first trial without a vote."""
        self.switch_screen(self._trial_or_thanks())

    def on_finished(self) -> None:
        """Thank the rater."""
        self.switch_screen(self._trial_or_thanks())

    def on_resumed(self) -> None:
        """Show the trial that is to be answered anew."""
        self.switch_screen(self._trial_or_thanks())

    def on_failed(self, message: Failed) -> None:
        """End, and leave it to the command line to say why."""
        self.failure = message.error
        self.exit()

    def action_leave(self) -> None:
        """Leave; every vote is on disk already, but for one that is being written, which is waited for."""
        if self.writer.busy:
            self.notify("Your answer is being saved; then this closes.")
        self.writer.when_idle(self.exit)

    def action_help(self) -> None:
        """Show the screen's keys."""
        from tui.widgets.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def _trial_or_thanks(self) -> TrialScreen | ThanksScreen:
        return ThanksScreen(self.session) if self.session.finished else self._trial()

    def _trial(self) -> TrialScreen:
        return TrialScreen(self.session, self.picture_mode, self.writer)
