"""A picture's verdict in few characters, the same everywhere."""

from __future__ import annotations

from rich.text import Text

from judge.protocol import Answer
from lorarar.store.queries import PictureRow
from tui.snapshot import Snapshot

MARKS = {True: ("\N{CHECK MARK}", "green"), False: ("\N{MULTIPLICATION SIGN}", "red"), None: ("?", "dim")}


def caption(snapshot: Snapshot | None, picture: PictureRow, name: str = "") -> Text:
    """The name or the seed, and a mark each for the verdicts on subject and style, where there are some."""
    text = Text(name or f"seed {picture.seed}")
    if snapshot is None or snapshot.judge is None:
        return text
    subject, style = snapshot.verdict(picture)
    if subject is None and style is None:
        return text
    return text.append(" ").append_text(marks(subject, style))


def marks(subject: Answer, style: Answer) -> Text:
    """``su`` and ``st`` with a mark each."""
    text = Text()
    for word, answer in (("subject", subject), ("style", style)):
        mark, colour = MARKS[answer]
        text.append(f"{word[:2]}", "dim").append(mark, colour).append(" ")
    text.rstrip()
    return text
