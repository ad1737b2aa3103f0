"""The answers with their keys, to read and to click; what has to be said takes their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from studies.rater.answer_keys import signs_of
from tui.text import line

if TYPE_CHECKING:
    from studies.rater.design import VoteAnswer
    from studies.rater.session import Introduction


class AnswerLabel(Static):
    """An answer with its keys; a click gives it."""

    class Clicked(Message):
        """The answer was clicked."""

        def __init__(self, answer: VoteAnswer) -> None:
            super().__init__()
            self.answer = answer

    def __init__(self, answer: VoteAnswer, label: str) -> None:
        first, *others = signs_of(answer)
        text = Text().append(f"{first} ", "bold").append(line(label, 30))
        if others:
            text.append(f" {' '.join(others)}", "dim")
        super().__init__(text, id=f"answer-{answer}")
        self.answer = answer

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self.answer))


class AnswerBar(Vertical):
    """Two rows: the answers, or a notice instead of them."""

    DEFAULT_CSS = """
    AnswerBar { height: 2; }
    AnswerBar > .answers { height: 1; align: center middle; }
    AnswerBar AnswerLabel { width: auto; height: 1; margin: 0 1; padding: 0 1; background: $boost; }
    AnswerBar AnswerLabel:hover { background: $primary; color: $text; }
    AnswerBar > .notice { height: 2; padding: 0 1; background: $boost; display: none; }
    AnswerBar.noticing > .notice { display: block; }
    AnswerBar.noticing > .answers { display: none; }
    """

    def __init__(self, words: Introduction) -> None:
        super().__init__()
        self.words = words
        self.notice = Static("", id="notice", classes="notice")

    def compose(self) -> ComposeResult:
        with Horizontal(classes="answers"):
            for answer, label in zip(self.words.answers, self.words.labels, strict=True):
                yield AnswerLabel(answer, label)
        yield self.notice

    def say(self, text: Text) -> None:
        """Say something in the place of the answers; empty text brings them back."""
        self.set_class(bool(text.plain), "noticing")
        self.notice.update(text)
