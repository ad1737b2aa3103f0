"""A critic on this machine, by transformers.

Its weights are loaded with the first question. A batch that fails is asked again in halves, so that a picture the
model cannot take, or a batch too large for the memory, costs no other question its reply; and what is too large for
the memory is not tried again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING

from judge.answer_words import YES_NO
from judge.critics.batching import batches
from judge.critics.critic import Critic
from judge.critics.local.batch_size import DEFAULT, DEFAULT_ON_GPU, BatchSize
from judge.critics.local.checkpoint import WEIGHTS, Checkpoint
from judge.critics.local.cost import (
    LARGE,
    check_memory,
    cost_in_words,
    operations_a_second,
    tokens_of,
    weights_in,
    weights_of,
)
from judge.critics.local.device import find_device, free_memory, memory_of
from judge.critics.local.settings import LocalSettings
from judge.critics.preparation import Preparation
from judge.pair_questions import AnyQuestion, PairQuestion
from judge.questions import PromptError, Reply
from judge.reading import Writing, read
from lorarar.util.errors import ImageError, reason
from lorarar.util.out_of_memory import is_out_of_memory

if TYPE_CHECKING:
    from judge.critics.local.reader import PreparedQuestion, Reader

#: What a question's words or pictures, or want of memory, make raise; anything else is a mistake in the program.
FAULTS = (RuntimeError, ValueError, MemoryError, PromptError)

NO_NUMBERS = "the model's logits are no numbers"


class LocalCritic(Critic):
    """A vision-language model, asked in batches; about two pictures one at a time, as it is shown many then."""

    takes_pairs = True

    def __init__(self, checkpoint: Checkpoint, settings: LocalSettings) -> None:
        """Raises a CriticError where the device is not there, or pictures cannot be shown in the mode asked for."""
        self.checkpoint, self.settings = checkpoint, settings
        self.image_mode = checkpoint.reader.mode(settings.image_mode, checkpoint.image_mode)
        self.reuses = settings.reuse and checkpoint.reader.shares
        self.device = find_device(settings.device)
        self.dtype = settings.dtype or ("bfloat16" if self.device.startswith("cuda") else "float32")
        self.preparation = Preparation(settings.side)
        self.identity = MappingProxyType(
            {
                "critic": checkpoint.name,
                "revision": checkpoint.revision,
                "backend": "transformers",
                "backend version": f"{version('transformers')}, torch {version('torch')}",
                "device": self.device.partition(":")[0],
                "dtype": self.dtype,
                "quantisation": settings.quantisation or "none",
                "image mode": self.image_mode,
                "side": str(settings.side),
                "answer": "text" if settings.generate else "logits",
            }
        )

    @cached_property
    def reader(self) -> Reader:
        """The loaded model, which reads verdicts.

        Raises:
            CriticError: it cannot be loaded, or is larger than this machine's memory.
        """
        self._check_memory(weights_of(self.checkpoint.config))  # before anything is fetched
        self._check_memory(weights_in(self.checkpoint.fetch().glob(WEIGHTS)))
        mode, bits = self.image_mode, self.settings.quantisation
        return self.checkpoint.reader.open(self.checkpoint, self.device, self.dtype, bits, mode)

    @cached_property
    def batch_size(self) -> BatchSize:
        """How many questions are asked at once."""
        default = DEFAULT_ON_GPU if self.device.startswith("cuda") else DEFAULT
        return BatchSize(self.settings.batch, default, self._what_fits())

    def _what_fits(self) -> dict[str, object]:
        """All that decides how many questions fit into the memory."""
        names = ("critic", "revision", "dtype", "quantisation", "image mode", "side")
        device = memory_of(self.device)
        return {**{name: self.identity[name] for name in names}, "reuse": self.settings.reuse, "device": device}

    def ask(self, questions: Sequence[AnyQuestion]) -> Iterator[tuple[int, Reply]]:
        from judge.critics.local.reader import PreparedQuestion

        alone = self.settings.generate or any(map(_shows_many, questions))
        size = (lambda: 1) if alone else self.batch_size
        for batch in batches(questions, size, together=self.reuses and not alone):
            readable = []
            for index in batch:
                try:
                    pictures = tuple(map(self.preparation, questions[index].pictures))
                except ImageError as error:
                    yield index, Reply.failure(str(error))
                else:
                    readable.append((index, PreparedQuestion(questions[index], pictures)))
            yield from self._replies(readable)

    def cost(self, questions: int) -> str:
        weights = weights_of(self.checkpoint.config)
        if weights < LARGE or not self.device.startswith("cpu"):
            return ""
        shared = self.reuses and not self.settings.generate
        operations = 2 * weights * tokens_of(self.image_mode, shared=shared)
        seconds = operations / operations_a_second(self.dtype)
        numbers = self.settings.quantisation or self.dtype
        return cost_in_words(self.checkpoint.name, weights, numbers, seconds, questions, self.image_mode)

    def _check_memory(self, weights: int) -> None:
        """Raises a CriticError where so many weights are more than the memory; a GPU says by itself when it is full."""
        import psutil

        if self.device.startswith("cpu"):
            memory = psutil.virtual_memory().total + psutil.swap_memory().total
            check_memory(self.checkpoint.name, weights, self.settings.quantisation or self.dtype, memory)

    def close(self) -> None:
        self.__dict__.pop("reader", None)
        free_memory(self.device)  # its caches refer back to it, and a GPU should not wait for that to be found

    def _replies(self, batch: Sequence[tuple[int, PreparedQuestion]]) -> Iterator[tuple[int, Reply]]:
        if not batch:
            return
        reader = self.reader  # loaded before the clock starts
        alone = self.settings.generate or _shows_many(batch[0][1].question)
        started = time.monotonic()
        try:
            replies = self._read(reader, [question for _, question in batch], started)
        except FAULTS as error:
            fault, is_full = reason(error), is_out_of_memory(error)  # and let go of the error, whose frames hold it
        else:
            if not alone:
                self.batch_size.worked(len(batch))
            yield from zip((index for index, _ in batch), replies, strict=True)
            return
        if is_full and not alone:
            self.batch_size.failed(len(batch))
        if is_full:
            reader.forget()
            free_memory(self.device)
        if len(batch) == 1:
            yield batch[0][0], Reply.failure(fault, time.monotonic() - started)
            return
        half = (len(batch) + 1) // 2
        while batch:
            size = min(half, self.batch_size())
            yield from self._replies(batch[:size])
            batch = batch[size:]

    def _read(self, reader: Reader, batch: Sequence[PreparedQuestion], started: float) -> list[Reply]:
        write = self._write_all if self.settings.generate else self._write
        writings = write(reader, batch)
        seconds = (time.monotonic() - started) / len(batch)
        return [
            read(writing, seconds, one.question.form) if writing else Reply.failure(NO_NUMBERS, seconds)
            for one, writing in zip(batch, writings, strict=True)
        ]

    def _write(self, reader: Reader, batch: Sequence[PreparedQuestion]) -> list[Writing | None]:
        """What the critic writes, no further than to the token that is the answer; None of what are no numbers."""
        if not any(one.form.may_go_on for one in batch):  # no first token decides
            return list(reader.write(batch, self._most(batch)))
        tokens = reader.score_with_prefix_cache(batch) if self.reuses else reader.score(batch)
        writings = [Writing(token.text, [token]) if token.chances else None for token in tokens]
        more = [at for at, token in enumerate(tokens) if token.chances and not token.is_answer_in(YES_NO)]
        if more:
            longer = reader.write([batch[at] for at in more], self._most([batch[at] for at in more]))
            for at, writing in zip(more, longer, strict=True):
                writings[at] = writing
        return writings

    def _write_all(self, reader: Reader, batch: Sequence[PreparedQuestion]) -> list[Writing]:
        """What the critic writes; its words alone decide, as in the authors' program."""
        return [replace(writing, tokens=()) for writing in reader.write(batch, self._most(batch))]

    def _most(self, batch: Sequence[PreparedQuestion]) -> int:
        """How many tokens the longest of some answers may have."""
        return max(one.question.form.limit(self.settings.max_tokens) for one in batch)


def _shows_many(question: AnyQuestion) -> bool:
    """Whether a question shows two pictures beside all references, and is asked alone."""
    return isinstance(question, PairQuestion)
