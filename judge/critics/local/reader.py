"""A loaded critic: what it writes about batches of questions, its first token alone or all of it.

Pictures in a batch have different sizes; rows are padded on the left, where nothing attends.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from judge.answer_words import CHOICES, YES_NO, AnswerForm
from judge.critics.critic import CriticError
from judge.critics.preparation import Prepared
from judge.pair_questions import AnyQuestion
from judge.reading import Writing, WrittenToken

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


class Shown(Protocol):
    """What a critic is shown: words and pictures, any number of each, in their order."""

    @property
    def system(self) -> str:
        """The system message; empty where there is none."""

    @property
    def parts(self) -> Sequence[str | Prepared]:
        """The words and pictures."""

    @property
    def form(self) -> AnswerForm[Any]:
        """The answers that are accepted, alike in all that is shown at once."""


@dataclass(frozen=True)
class PreparedQuestion:
    """A question with its pictures, in the order they are shown."""

    question: AnyQuestion
    pictures: tuple[Prepared, ...]

    @property
    def system(self) -> str:
        """The system message."""
        return self.question.system

    @property
    def form(self) -> AnswerForm[Any]:
        """The answers that it accepts."""
        return self.question.form

    @property
    def parts(self) -> Sequence[str | Prepared]:
        """The words and pictures."""
        before, *rest = self.question.parts
        parts: list[str | Prepared] = [before]
        for picture, words in zip(self.pictures, rest, strict=True):
            parts += [picture, words]
        return parts


class Reader(ABC):
    """A model, and the ways to read verdicts from it."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
        """Raises a CriticError where Yes or No is no token."""
        self.model, self.tokenizer = model, tokenizer
        self.yes, self.no = answer_tokens(tokenizer)
        self.choices = lru_cache(partial(choice_tokens, tokenizer))
        ends = model.generation_config.eos_token_id
        self.ends = frozenset(ends if isinstance(ends, list) else [ends])

    @abstractmethod
    def inputs(self, batch: Sequence[Shown]) -> dict[str, Any]:
        """What the model is given for questions.

        Raises:
            PromptError: the words bring marks of their own.
        """

    @abstractmethod
    def score(self, batch: Sequence[Shown]) -> list[WrittenToken]:
        """The first tokens of answers."""

    def score_with_prefix_cache(self, batch: Sequence[PreparedQuestion]) -> list[WrittenToken]:
        """The same of questions that share their beginning, which readers that can do so compute once."""
        return self.score(batch)

    def write(self, batch: Sequence[Shown], most: int) -> list[Writing]:
        """Answers of at most so many tokens, always the likeliest."""
        return [self._writing(ids, tokens) for ids, tokens in self.generate(batch, most)]

    def generate(self, batch: Sequence[Shown], most: int) -> list[tuple[list[int], list[WrittenToken]]]:
        """At most so many tokens a question, always the likeliest, what follows an end among them."""
        steps = _Steps(partial(self.tokens, form=batch[0].form))
        inputs = self.inputs(batch)
        with torch.inference_mode():
            ids = self.model.generate(
                **inputs,
                max_new_tokens=most,
                do_sample=False,
                num_beams=1,
                logits_processor=LogitsProcessorList([steps]),
            )
        rows = ids[:, inputs["input_ids"].shape[1] :].tolist()
        return [(row, [step[at] for step in steps.tokens]) for at, row in enumerate(rows)]

    def forget(self) -> None:
        """Let go of what is kept to be used again, where it is large."""
        return

    def tokens(self, logits: Tensor, form: AnswerForm[Any] = YES_NO) -> list[WrittenToken]:
        """The likeliest tokens of rows of logits (N, vocabulary), with the probabilities of a form's answers."""
        texts = (self.text_of([token]) for token in logits.argmax(1).tolist())
        answers = self.choices(form) if form.answers == CHOICES else [self.yes, self.no]
        shares = chances(logits, *answers) if answers else [None] * len(logits)
        return [WrittenToken(*token) for token in zip(texts, shares, strict=True)]

    def text_of(self, ids: list[int]) -> str:
        """What some tokens say."""
        text: str = self.tokenizer.decode(ids)
        return text

    def _writing(self, ids: list[int], tokens: Sequence[WrittenToken]) -> Writing:
        """What was written with some tokens, of which those behind the end are none."""
        length = next((at for at, token in enumerate(ids) if token in self.ends), len(ids))
        return Writing(self.answer_text(ids[:length]), tokens[:length], cut_after=None if length < len(ids) else length)

    def answer_text(self, ids: list[int]) -> str:
        """What an answer says."""
        return self.text_of(ids)


class _Steps(LogitsProcessor):  # type: ignore[misc]
    """Keeps of each step what is read of its logits, which themselves are too large to keep of a long thought."""

    def __init__(self, read: Any) -> None:
        self._read = read
        self.tokens: list[list[WrittenToken]] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Read a step's logits (N, vocabulary) and leave them as they are."""
        self.tokens.append(self._read(scores))
        return scores


def spellings(word: str) -> list[str]:
    """The ways in which a word may stand at the beginning of an answer."""
    return [word, word.lower(), f" {word}", f" {word.lower()}"]


def answer_tokens(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """The tokens that are Yes and those that are No, in every spelling that is a single token.

    Raises:
        CriticError: a word has no such spelling; its first token alone would say nothing.
    """
    answers = []
    for word in ("Yes", "No"):
        coded = [tokenizer(spelling, add_special_tokens=False).input_ids for spelling in spellings(word)]
        tokens = sorted({ids[0] for ids in coded if len(ids) == 1 and ids[0] != tokenizer.unk_token_id})
        if not tokens:
            raise CriticError(f"{tokenizer.name_or_path}: the tokenizer has no single token for {word}")
        answers.append(tokens)
    yes, no = answers
    return yes, no


def choice_tokens(tokenizer: PreTrainedTokenizerFast, form: AnswerForm[Any]) -> list[list[int]]:
    """The single tokens that are each answer of a form; none where an answer has no such token: its words decide."""
    answers = []
    for _, ways in form.spellings:
        coded = [tokenizer(text, add_special_tokens=False).input_ids for way in ways for text in spellings(way)]
        answers.append(sorted({ids[0] for ids in coded if len(ids) == 1 and ids[0] != tokenizer.unk_token_id}))
    return answers if all(answers) else []


def chances(logits: Tensor, *answers: list[int]) -> list[tuple[float, ...] | None]:
    """Probabilities of answers, each of all its tokens, for rows of logits (N, vocabulary); None of no numbers."""
    logits = logits.double()
    shares = [(logits[:, tokens].logsumexp(1) - logits.logsumexp(1)).exp().tolist() for tokens in answers]
    return [row if all(map(math.isfinite, row)) else None for row in zip(*shares, strict=True)]
