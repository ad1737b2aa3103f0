"""From what a critic wrote to a reply: one pure function for critics here and behind servers, and for every question.

Yes against No, or one choice against the others, is read only at the first token that is a word, only where that word
is such an answer, and only where all of them together have at least half of the probability there. Where they have
less, or no probabilities are given, the words decide, strictly; as they do where the likeliest are equally likely.
Thoughts before an answer are no part of it.

Invariant: where probabilities and words disagree, and where neither is an answer, there is no answer but a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from judge.answer_words import YES_NO, AnswerForm, answer_start, has_words
from judge.non_answers import NonAnswer, prose, shortened
from judge.questions import Reply
from lorarar.util.formatting import in_words

LEAST_MASS = 0.5  # of all answers together, where their probabilities are a verdict


@dataclass(frozen=True)
class WrittenToken:
    """A token of what a critic wrote, and the probability of each answer in its place, in all its spellings."""

    text: str
    chances: tuple[float, ...] | None = (
        None  # in the order of the form: of Yes and of No; None where they are not given
    )

    @property
    def mass(self) -> float | None:
        """The probability of all answers together."""
        return None if self.chances is None else min(sum(self.chances), 1.0)

    @property
    def probability(self) -> float:
        """Of the form's first answer, Yes or first, against the others, where ``is_answer_in``."""
        first, *others = self.chances or (0.0,)
        return first / (first + sum(others))

    def is_answer_in(self, form: AnswerForm[Any]) -> bool:
        """Whether one answer against the others can be read here."""
        return form.parse(self.text) is not None and (self.mass or 0.0) >= LEAST_MASS


@dataclass(frozen=True)
class Writing:
    """What a critic wrote in answer to a question, and how it ended."""

    text: str
    tokens: Sequence[WrittenToken] = ()  # from the first on, as far as they are known
    thought: bool = False  # whether it thought apart from the text
    cut_after: int | None = None  # so many tokens; None where it came to an end
    refusal: str = ""  # in its own words
    filtered: bool = False  # whether a server took it back


def read(writing: Writing, seconds: float = 0.0, form: AnswerForm[Any] = YES_NO) -> Reply:
    """The reply that a writing is, to a question that accepts these answers."""
    start = answer_start(writing.text)
    words = "" if start is None else writing.text[start:]
    token = first_word(writing.tokens)
    answer, probability, reason = form.parse(words), None, ""
    if writing.refusal or writing.filtered:
        answer, reason = None, _stopped(writing)
    elif token and token.is_answer_in(form) and (beginning := form.parse_beginning(words)) is not None:
        probability = token.probability
        answer = beginning if beginning in _likeliest(token, form) else None
        reason = "" if answer is not None else _disagreement(words, token, form)
    elif answer is None:
        reason = _no_answer(writing, words, form, thinking=start is None)
    return Reply(
        "unparsed" if answer is None else "ok",
        answer,
        probability=None if answer is None else probability,
        text=writing.text,
        reason=reason,
        seconds=seconds,
        mass=token.mass if token and not form.pattern else None,
    )


def _likeliest(token: WrittenToken, form: AnswerForm[Any]) -> list[bool | str]:
    """The answers that no other is likelier than."""
    chances = token.chances or ()
    return [answer for answer, chance in zip(form.answers, chances, strict=True) if chance == max(chances)]


def first_word(tokens: Sequence[WrittenToken]) -> WrittenToken | None:
    """The first token of the answer that is a word; None where there is none (yet), or a thought does not end."""
    start, end = answer_start("".join(token.text for token in tokens)), 0
    for token in tokens:
        end += len(token.text)
        if start is not None and end > start and has_words(token.text):
            return token
    return None


def _stopped(writing: Writing) -> str:
    if writing.refusal:
        return f"{NonAnswer.REFUSED}: {shortened(writing.refusal)}"
    return f"{NonAnswer.FILTERED} by the server"


def _disagreement(words: str, token: WrittenToken, form: AnswerForm[Any]) -> str:
    first, *others = form.names
    odds = f"{first} against {in_words(others)} is {token.probability:.2f}"
    return f"{NonAnswer.DISAGREEMENT}: the answer is {shortened(words)!r}, and {odds}"


def _no_answer(writing: Writing, words: str, form: AnswerForm[Any], *, thinking: bool) -> str:
    """Why words that are no plain answer are none."""
    limit = "" if writing.cut_after is None else f"after {writing.cut_after} tokens"
    if thinking or (writing.thought and not has_words(words)):
        return f"{NonAnswer.THOUGHT} and {f'cut off {limit}' if limit else 'gave no answer'}"
    if has_words(words) and not (limit and form.pattern):  # an answer within a text may stand where it was cut off
        return prose(words, form.accepted)
    return f"{NonAnswer.CUT_OFF} {limit}" if limit else f"{NonAnswer.EMPTY}: the answer has no words"
