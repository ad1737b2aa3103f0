"""From what a critic wrote to a reply: one pure function for critics here and behind servers.

Yes against No is read only at the first token that is a word, only where that word is Yes or No, and only where both
together have at least half of the probability there. Where they have less, or no probabilities are given, the words
decide, strictly; as they do where both are equally likely. Thoughts before an answer are no part of it.

Invariant: where probabilities and words disagree, and where neither says yes or no, there is no answer but a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judge.answer_words import answer_start, has_words, parse, parse_beginning
from judge.non_answers import NonAnswer, prose, shortened
from judge.questions import Reply

LEAST_MASS = 0.5  # of Yes and No together, where their probabilities are a verdict


@dataclass(frozen=True)
class WrittenToken:
    """A token of what a critic wrote, and the probabilities of Yes and of No in its place, each in all spellings."""

    text: str
    chances: tuple[float, float] | None = None  # None where they are not given

    @property
    def mass(self) -> float | None:
        """The probability of Yes and No together."""
        return None if self.chances is None else min(sum(self.chances), 1.0)

    @property
    def is_answer(self) -> bool:
        """Whether Yes against No can be read here."""
        return parse(self.text) is not None and (self.mass or 0.0) >= LEAST_MASS

    @property
    def probability(self) -> float:
        """Of Yes against No, where ``is_answer``."""
        yes, no = self.chances or (0.0, 0.0)
        return yes / (yes + no)


@dataclass(frozen=True)
class Writing:
    """What a critic wrote in answer to a question, and how it ended."""

    text: str
    tokens: Sequence[WrittenToken] = ()  # from the first on, as far as they are known
    thought: bool = False  # whether it thought apart from the text
    cut_after: int | None = None  # so many tokens; None where it came to an end
    refusal: str = ""  # in its own words
    filtered: bool = False  # whether a server took it back


def read(writing: Writing, seconds: float = 0.0) -> Reply:
    """The reply that a writing is."""
    start = answer_start(writing.text)
    words = "" if start is None else writing.text[start:]
    token = first_word(writing.tokens)
    answer, probability, reason = parse(words), None, ""
    if writing.refusal or writing.filtered:
        answer, reason = None, _stopped(writing)
    elif token and token.is_answer and (beginning := parse_beginning(words)) is not None:
        probability = token.probability
        answer = beginning if probability == 0.5 or beginning == (probability > 0.5) else None
        reason = "" if answer is not None else _disagreement(words, probability)
    elif answer is None:
        reason = _no_answer(writing, words, thinking=start is None)
    return Reply(
        "unparsed" if answer is None else "ok",
        answer,
        probability=None if answer is None else probability,
        text=writing.text,
        reason=reason,
        seconds=seconds,
        mass=token.mass if token else None,
    )


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


def _disagreement(words: str, probability: float) -> str:
    return f"{NonAnswer.DISAGREEMENT}: the answer is {shortened(words)!r}, and Yes against No is {probability:.2f}"


def _no_answer(writing: Writing, words: str, *, thinking: bool) -> str:
    """Why words that are no plain answer are none."""
    limit = "" if writing.cut_after is None else f"after {writing.cut_after} tokens"
    if thinking or (writing.thought and not has_words(words)):
        return f"{NonAnswer.THOUGHT} and {f'cut off {limit}' if limit else 'gave no answer'}"
    if has_words(words):
        return prose(words)
    return f"{NonAnswer.CUT_OFF} {limit}" if limit else f"{NonAnswer.EMPTY}: the answer has no words"
