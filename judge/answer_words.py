"""What an answer says by its words alone, strictly, whoever wrote it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Literal, TypeVar, get_args

_SPACE = r"\s\u200b\u2060\ufeff"
_QUOTES = r"\"'`\u2018-\u201f\u2039\u203a\u00ab\u00bb\u300c-\u300f"
_MARKS = re.compile(r"<(?!/?(?:yes|no)>)[^<>\s]{1,40}>")

#: How models that think aloud begin and end a thought; what follows the last end is the answer.
_THOUGHT_BEGINS = re.compile(
    r"<think(?:ing)?>|<thought>|\[THINK\]|\u25c1think\u25b7|<\|channel\|>analysis", re.IGNORECASE
)
_THOUGHT_ENDS = re.compile(
    r"</think(?:ing)?>|</thought>|\[/THINK\]|\u25c1/think\u25b7|<\|channel\|>final<\|message\|>", re.IGNORECASE
)


#: Which of two pictures that are shown one after the other.
Choice = Literal["first", "second", "tie"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
A = TypeVar("A", bound=bool | str)


@dataclass(frozen=True)
class AnswerForm(Generic[A]):
    """The answers that a question accepts, each with the ways it may be spelt, in any case; the first way names it."""

    spellings: tuple[tuple[A, tuple[str, ...]], ...]
    pattern: str = ""  # whose one group is the answer within a longer text; empty: the text is the answer
    may_go_on: bool = False  # whether an answer that a first token gives may have more words behind it
    tokens: int = 0  # that such a text takes, where it is longer than a word or two

    @property
    def answers(self) -> tuple[A, ...]:
        """The answers, in the order of their probabilities."""
        return tuple(answer for answer, _ in self.spellings)

    @property
    def names(self) -> tuple[str, ...]:
        """What each answer is called."""
        return tuple(ways[0] for _, ways in self.spellings)

    @property
    def accepted(self) -> str:
        """The answers in words: ``Yes or No``."""
        return f"{', '.join(self.names[:-1])} or {self.names[-1]}"

    def limit(self, most: int) -> int:
        """The most tokens of an answer, where one of a word or two may have so many."""
        return max(most, self.tokens)

    def parse(self, text: str) -> A | None:
        """The answer that a text is, in any case and with marks around it; None for anything else.

        ``Yes。``, quotes and ``</s>`` are plain. ``no, yes would be wrong`` is neither, and so are ``eyes`` and an
        explanation. With a ``pattern`` it is what that finds; where it finds several that differ there is none.
        """
        text = unicodedata.normalize("NFKC", text)
        parts = set(re.findall(self.pattern, text)) if self.pattern else {text}
        answers = {self._answer(self._whole.fullmatch(part)) for part in parts}
        return answers.pop() if len(answers) == 1 else None

    def parse_beginning(self, text: str) -> A | None:
        """The answer that begins a text, whatever follows where that is allowed; None where none stands there."""
        if not self.may_go_on:
            return self.parse(text)
        return self._answer(self._beginning.match(unicodedata.normalize("NFKC", text)))

    def _answer(self, match: re.Match[str] | None) -> A | None:
        """The answer whose group matched."""
        return self.answers[match.lastindex - 1] if match and match.lastindex else None

    @cached_property
    def _ways(self) -> str:
        """A group for each answer, which matches its spellings."""
        spaced = (("|".join(r"\s+".join(map(re.escape, way.split())) for way in ways)) for _, ways in self.spellings)
        return "|".join(f"({ways})" for ways in spaced)

    @cached_property
    def _mark(self) -> str:
        """A mark of a conversation, such as </s>, <|im_end|> or <answer>."""
        words = "|".join(re.escape(way) for _, ways in self.spellings for way in ways)
        return rf"<(?!/?(?:{words})>)[^<>\s]{{1,40}}>"

    @cached_property
    def _before(self) -> str:
        return rf"(?:{self._mark}|[{_SPACE}{_QUOTES}*_~#(\[{{\u3008\u300a\u3010])*"

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        after = rf"(?:{self._mark}|[{_SPACE}{_QUOTES}*_~)\]}}\u3009\u300b\u3011.,;!\u3002\u3001])*"
        return re.compile(rf"{self._before}(?:{self._ways}){after}", re.IGNORECASE)

    @cached_property
    def _beginning(self) -> re.Pattern[str]:
        return re.compile(rf"{self._before}(?:{self._ways})(?!\w)", re.IGNORECASE)


YES_NO = AnswerForm(((True, ("Yes",)), (False, ("No",))), may_go_on=True)


def parse(text: str) -> bool | None:
    """Yes or No as the whole answer; None for anything else."""
    return YES_NO.parse(text)


def has_words(text: str) -> bool:
    """Whether a text has any letter or digit outside marks of a conversation."""
    return any(character.isalnum() for character in _MARKS.sub("", text))


def answer_start(text: str) -> int | None:
    """Where the answer begins in a text that may begin with thoughts; None where a thought does not end."""
    start = max((match.end() for match in _THOUGHT_ENDS.finditer(text)), default=0)
    return None if _THOUGHT_BEGINS.search(text, start) else start


def open_thought(text: str) -> str:
    """The end of a text from where a thought begins in it that does not end; empty where none does."""
    start = max((match.end() for match in _THOUGHT_ENDS.finditer(text)), default=0)
    begin = _THOUGHT_BEGINS.search(text, start)
    return text[begin.start() :] if begin else ""
