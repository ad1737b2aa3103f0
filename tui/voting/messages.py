"""What the voting screens tell the app, which decides what comes next."""

from __future__ import annotations

from textual.message import Message


class Agreed(Message):
    """The rater has agreed to take part, and that is on disk."""


class InstructionRead(Message):
    """The rater goes on from the instruction to the trials."""


class Finished(Message):
    """No trial is left to answer."""


class Resumed(Message):
    """A rater who had answered everything goes back to the last answer."""
