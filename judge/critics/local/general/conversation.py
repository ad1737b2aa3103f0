"""A question as a checkpoint's own chat template writes it, words and pictures in their order.

Templates differ in how they take what the system says. So the ways to give it are tried, once for a checkpoint, with
words that can be told apart, and the first that gives everything in order is taken. A template that loses or moves
pictures in every way is refused: a critic that sees a picture elsewhere is asked another question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import TemplateError

from judge.answer_words import open_thought
from judge.critics.chat import refuse_marks
from judge.critics.critic import CriticError
from judge.questions import PromptError

Parts = Sequence[str | None]  # words, and None for each picture
Turns = list[dict[str, Any]]
PROBE: Parts = ("First words", None, "second words", None, "third words", None, "last words")
SYSTEM = "System words"
TEMPLATE_FAULTS = (TemplateError, TypeError, ValueError)  # what turns that it is not made for make a template raise
LEAK = "'type'"  # of parts that a template writes as they are, in place of their words


def parts_turn(system: str, parts: Parts) -> Turns:
    """The system's words in a turn of their own, as one part of it, if there are any."""
    return [*_system([_part(system)] if system else None), *_user(parts)]


def text_turn(system: str, parts: Parts) -> Turns:
    """The system's words in a turn of their own, as its text."""
    return [*_system(system or None), *_user(parts)]


def no_turn(system: str, parts: Parts) -> Turns:
    """The system's words at the beginning of the question."""
    return _user([f"{system}\n\n", *parts] if system else parts)


WAYS = (parts_turn, text_turn, no_turn)


class Conversation:
    """A checkpoint's way to write questions."""

    def __init__(self, template: Callable[[Turns], str], mark: str, marks: Sequence[str], name: str) -> None:
        """Find the way.

        Args:
            template: what writes turns, up to where an answer begins.
            mark: what stands for a picture in the text of a template.
            marks: what no words may hold.
            name: of the checkpoint, for messages.

        Raises:
            CriticError: the template takes no pictures among words.
        """
        self._template, self.mark, self._marks = template, mark, marks
        way = next((way for way in WAYS if self._keeps_order(way)), None)
        if way is None:
            raise CriticError(f"{name}: its chat template puts no pictures among words in their order, as is needed")
        self._way = way

    def prompt(self, system: str, parts: Parts) -> str:
        """The conversation about words and pictures, up to where the answer begins.

        Raises:
            PromptError: the words bring marks of their own, or the template loses a picture.
        """
        words = "".join(part for part in parts if part is not None)
        refuse_marks(f"{system}\n{words}", self._marks)
        try:
            text = self._template(self._way(system, parts))
        except TEMPLATE_FAULTS as error:
            raise PromptError(f"the checkpoint's chat template does not take the question: {error}") from None
        if text.count(self.mark) != list(parts).count(None):
            raise PromptError("the checkpoint's chat template loses pictures of the question")
        return text

    @property
    def opening(self) -> str:
        """The beginning of an answer that the template has written already: that of a thought; empty of none."""
        text = self._template(self._way("", PROBE))
        return open_thought(text[text.rindex(str(PROBE[-1])) :])

    def _keeps_order(self, way: Callable[[str, Parts], Turns]) -> bool:
        """Whether that way gives all words and pictures in order."""
        try:
            text = self._template(way(SYSTEM, PROBE))
        except TEMPLATE_FAULTS:
            return False
        place = 0
        for piece in (SYSTEM, *(self.mark if part is None else part for part in PROBE)):
            place = text.find(piece, place) + len(piece)
            if place < len(piece):
                return False
        return text.count(self.mark) == PROBE.count(None) and LEAK not in text


def _system(content: object) -> Turns:
    return [] if content is None else [{"role": "system", "content": content}]


def _user(parts: Parts) -> Turns:
    return [{"role": "user", "content": [_part(part) for part in parts if part != ""]}]


def _part(part: str | None) -> dict[str, str]:
    return {"type": "image"} if part is None else {"type": "text", "text": part}
