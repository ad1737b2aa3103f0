"""The plainest face of a study, for tests: consents, says how far it is, votes with 1, 2, 3, goes back with u.

Run as ``python plain_face.py DATABASE STUDY CODE``.
"""

from __future__ import annotations

import sys
import time

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Static

from lorarar.store import Store
from studies.opening import open_study
from studies.session import Session
from studies.vote import Screen


class PlainFace(App[None]):
    """One line of text and four keys."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session, self.since = session, time.monotonic()

    def compose(self) -> ComposeResult:
        self.session.consent()
        yield Static(self.line())

    def line(self) -> str:
        """Where the rater is."""
        progress = self.session.progress
        return f"{progress.done} of {progress.total}"

    def on_key(self, event: Key) -> None:
        """Vote or go back; leave when all is answered."""
        answers = dict(zip("123", self.session.introduction.answers, strict=False))
        if event.character in answers and self.session.current():
            screen = Screen("none", self.size.width, self.size.height, 0, 0, 0, 0)
            self.session.vote(answers[event.character], time.monotonic() - self.since, screen)
        elif event.character == "u":
            self.session.undo()
        self.since = time.monotonic()
        self.query_one(Static).update(self.line())


if __name__ == "__main__":
    with Store(sys.argv[1]) as opened:
        PlainFace(open_study(opened, sys.argv[2], sys.argv[3])).run()
