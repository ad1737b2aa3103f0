"""What the voting screens tell the app, which decides what comes next."""

from __future__ import annotations

from textual.message import Message

from lorarar.util.errors import LorarError


class Agreed(Message):
    """The rater has agreed to take part, and that is on disk."""


class Failed(Message):
    """The session cannot go on."""

    def __init__(self, error: LorarError) -> None:
        super().__init__()
        self.error = error


class InstructionRead(Message):
    """The rater goes on from the instruction to the trials."""


class Finished(Message):
    """No trial is left to answer."""


class Resumed(Message):
    """A rater who had answered everything goes back to the last answer."""
