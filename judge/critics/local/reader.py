"""A loaded critic: what it writes about batches of pairs, its first token alone or all of it.

``score`` gives pictures and words to the model as anyone would. ``score_with_prefix_cache`` computes a picture's
features once, and runs a question's beginning, up to and with its reference, once for all its tests: the same
numbers (to 1e-5 in float32) for about half of the work. Both give the first token, which decides nearly every
question. ``write`` goes on to the end. Pictures in a batch have different sizes; rows are padded on the left, where
nothing attends.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache, LlavaOnevisionForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPooling

from judge.critics.chat import IMAGE, chat
from judge.critics.critic import CriticError
from judge.critics.local.image_features import ImageFeatures
from judge.critics.local.last_used import LastUsed
from judge.critics.local.settings import ImageMode
from judge.critics.preparation import Prepared
from judge.questions import Question, Rendered
from judge.reading import Writing, WrittenToken

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from judge.critics.local.loader import PictureProcessor


BEGINNINGS = 1 << 28  # bytes: the last one of a large critic, since questions come sorted by theirs


@dataclass(frozen=True)
class PreparedQuestion:
    """A question with its pictures."""

    question: Question
    reference: Prepared
    test: Prepared


class Reader:
    """A model, and the ways to read verdicts from it."""

    def __init__(
        self, model: LlavaOnevisionForConditionalGeneration, processor: PictureProcessor, mode: ImageMode
    ) -> None:
        self.model, self.processor = model, processor
        self.tokenizer = processor.tokenizer
        self.images = ImageFeatures(model, processor, mode)
        self.yes, self.no = answer_tokens(self.tokenizer)
        self.words = lru_cache(1024)(self._words)
        self.beginning = LastUsed(self._beginning, _bytes_of, most=BEGINNINGS)

    def score(self, batch: Sequence[PreparedQuestion]) -> list[WrittenToken]:
        """The first tokens of answers to questions of any kind."""
        return self._first(**self._inputs(batch))

    def write(self, batch: Sequence[PreparedQuestion], most: int) -> list[Writing]:
        """Answers of at most so many tokens, always the likeliest."""
        inputs = self._inputs(batch)
        with torch.inference_mode():
            output = self.model.generate(
                **inputs,
                max_new_tokens=most,
                do_sample=False,
                num_beams=1,
                output_logits=True,
                return_dict_in_generate=True,
            )
        steps = [self._tokens(logits) for logits in output.logits]
        texts = output.sequences[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._writing(ids, [step[row] for step in steps]) for row, ids in enumerate(texts)]

    def score_with_prefix_cache(self, batch: Sequence[PreparedQuestion]) -> list[WrittenToken]:
        """The first tokens of answers to questions that share their beginning, which is computed once.

        Raises:
            ValueError: they do not, as when a reference's file has changed meanwhile.
        """
        first = batch[0]
        if len({(one.question.system, one.question.rendered.before, one.reference) for one in batch}) > 1:
            raise ValueError("the questions of a batch begin differently")
        start, before = self.beginning(first.question.system, first.question.rendered.before, first.reference)
        features = [self.images.features(one.test) for one in batch]
        rows = []
        for one, vectors in zip(batch, features, strict=True):
            _, between, after = self.words(one.question.rendered, one.question.system)
            rows.append(torch.cat([between, self._marks(len(vectors)), after]))
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True, padding_side="left")
        ids = pad_sequence(rows, batch_first=True, padding_value=self.tokenizer.pad_token_id, padding_side="left")
        cache = copy.deepcopy(start)  # the model writes into what it is given
        cache.batch_repeat_interleave(len(batch))
        return self._first(
            input_ids=ids,
            attention_mask=pad(mask, (before, 0), value=1),
            position_ids=before + (mask.cumsum(1) - 1).clamp(min=0),
            past_key_values=cache,
            mm_encoder_outputs=_as_output(features),
        )

    def forget(self) -> None:
        """Let go of what is kept of pictures and of beginnings: it is computed again where it is needed."""
        self.images.features.forget()
        self.beginning.forget()

    def _beginning(self, system: str, before: str, reference: Prepared) -> tuple[DynamicCache, int]:
        """Keys and values up to and with the reference, and how many tokens they are."""
        features = self.images.features(reference)
        ids = torch.cat([self.words(Rendered(before, "", ""), system)[0], self._marks(len(features))])[None]
        with torch.inference_mode():
            output = self.model.model(
                input_ids=ids.to(self.model.device), mm_encoder_outputs=_as_output([features]), use_cache=True
            )
        return output.past_key_values, ids.shape[1]

    def _words(self, rendered: Rendered, system: str) -> tuple[Tensor, ...]:
        """Tokens before, between and behind the pictures; together with the marks they are the whole prompt's."""

        def coded(text: str) -> list[int]:
            ids: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
            return ids

        prompt = chat(rendered, system)
        parts = [coded(part) for part in prompt.split(IMAGE)]
        if sum(map(len, parts)) + 2 != len(coded(prompt)):
            raise CriticError(f"{self.tokenizer.name_or_path}: the tokenizer reads a prompt otherwise than its parts")
        return tuple(torch.tensor(part, dtype=torch.long) for part in parts)

    def _marks(self, count: int) -> Tensor:
        return torch.full((count,), self.model.config.image_token_index)

    def _inputs(self, batch: Sequence[PreparedQuestion]) -> dict[str, Any]:
        prompts = [chat(one.question.rendered, one.question.system) for one in batch]
        pictures = self.images.nest([(one.reference.image, one.test.image) for one in batch])
        inputs = self.processor(text=prompts, images=pictures, padding=True, return_tensors="pt")
        return dict(inputs.to(self.model.device, self.model.dtype))

    def _first(self, **inputs: Any) -> list[WrittenToken]:
        placed = {k: v.to(self.model.device) if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
        with torch.inference_mode():
            logits = self.model(**placed, logits_to_keep=1).logits[:, -1]
        return self._tokens(logits)

    def _tokens(self, logits: Tensor) -> list[WrittenToken]:
        """The likeliest tokens of rows of logits (N, vocabulary)."""
        texts = map(self._text_of, logits.argmax(1).tolist())
        return [WrittenToken(*token) for token in zip(texts, chances(logits, self.yes, self.no), strict=True)]

    def _text_of(self, token: int) -> str:
        text: str = self.tokenizer.decode([token])
        return text

    def _writing(self, ids: list[int], tokens: Sequence[WrittenToken]) -> Writing:
        """What was written with some tokens, of which those behind the end are none."""
        end = self.model.generation_config.eos_token_id
        length = ids.index(end) if end in ids else len(ids)
        text = self.tokenizer.decode(ids[:length], skip_special_tokens=True)
        return Writing(text, tokens[:length], cut_after=None if length < len(ids) else length)


def _bytes_of(beginning: tuple[DynamicCache, int]) -> int:
    """How large the keys and values of a beginning are."""
    return sum(tensor.nbytes for layer in beginning[0].layers for tensor in (layer.keys, layer.values))


def _as_output(features: Sequence[Tensor]) -> dict[str, Any]:
    return {"image": BaseModelOutputWithPooling(pooler_output=list(features))}


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


def chances(logits: Tensor, yes: list[int], no: list[int]) -> list[tuple[float, float] | None]:
    """Probabilities of Yes and of No, each in all spellings, for rows of logits (N, vocabulary); None of no numbers."""
    logits = logits.double()
    shares = [(logits[:, tokens].logsumexp(1) - logits.logsumexp(1)).exp().tolist() for tokens in (yes, no)]
    return [pair if all(map(math.isfinite, pair)) else None for pair in zip(*shares, strict=True)]
