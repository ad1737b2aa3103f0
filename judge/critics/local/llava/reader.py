"""LLaVA-OneVision's reader, which computes what questions share once.

``score`` gives pictures and words to the model as anyone would. ``score_with_prefix_cache`` computes a picture's
features once, and runs a question's beginning, up to and with its reference, once for all its tests: the same
numbers (to 1e-5 in float32) for about half of the work.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache, LlavaOnevisionForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPooling

from judge.critics.chat import IMAGE, conversation
from judge.critics.critic import CriticError
from judge.critics.local.last_used import LastUsed
from judge.critics.local.llava.image_features import ImageFeatures
from judge.critics.local.llava.loader import load
from judge.critics.local.reader import PreparedQuestion, Reader, Shown
from judge.critics.local.settings import ImageMode
from judge.critics.preparation import Prepared
from judge.reading import WrittenToken

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint
    from judge.critics.local.llava.loader import PictureProcessor
    from judge.critics.local.settings import Quantisation

BEGINNINGS = 1 << 28  # bytes: the last one of a large critic, since questions come sorted by theirs


def open_llava(
    checkpoint: Checkpoint, device: str, dtype: str, quantisation: Quantisation | None, mode: ImageMode
) -> LlavaReader:
    """The loaded model of a checkpoint.

    Raises:
        CriticError: it cannot be fetched or loaded, or its parts do not fit together.
    """
    return LlavaReader(*load(checkpoint, device, dtype, quantisation), mode)


class LlavaReader(Reader):
    """A model of LLaVA-OneVision's, and the ways to read verdicts from it."""

    def __init__(
        self, model: LlavaOnevisionForConditionalGeneration, processor: PictureProcessor, mode: ImageMode
    ) -> None:
        super().__init__(model, processor.tokenizer)
        self.processor = processor
        self.images = ImageFeatures(model, processor, mode)
        self.words = lru_cache(1024)(self._words)
        self.beginning = LastUsed(self._beginning, _bytes_of, most=BEGINNINGS)

    def inputs(self, batch: Sequence[Shown]) -> dict[str, Any]:
        prompts, pictures = [], []
        for one in batch:
            prompts.append(conversation([part if isinstance(part, str) else None for part in one.parts], one.system))
            pictures.append([part.image for part in one.parts if not isinstance(part, str)])
        inputs = self.processor(text=prompts, images=self.images.nest(pictures), padding=True, return_tensors="pt")
        return dict(inputs.to(self.model.device, self.model.dtype))

    def score(self, batch: Sequence[Shown]) -> list[WrittenToken]:
        return self._first(**self.inputs(batch))

    def answer_text(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def score_with_prefix_cache(self, batch: Sequence[PreparedQuestion]) -> list[WrittenToken]:
        """The first tokens of answers to questions that share their beginning, which is computed once.

        Raises:
            ValueError: they do not, as when a reference's file has changed meanwhile.
        """
        first = batch[0]
        if len({(one.system, one.question.parts[0], one.pictures[0]) for one in batch}) > 1:
            raise ValueError("the questions of a batch begin differently")
        start, before = self.beginning(first.system, first.question.parts[0], first.pictures[0])
        features = [self.images.features(one.pictures[1]) for one in batch]
        rows = []
        for one, vectors in zip(batch, features, strict=True):
            _, between, after = self.words(one.question.parts, one.system)
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
        ids = torch.cat([self.words((before, "", ""), system)[0], self._marks(len(features))])[None]
        with torch.inference_mode():
            output = self.model.model(
                input_ids=ids.to(self.model.device), mm_encoder_outputs=_as_output([features]), use_cache=True
            )
        return output.past_key_values, ids.shape[1]

    def _words(self, words: tuple[str, ...], system: str) -> tuple[Tensor, ...]:
        """Tokens of the words around pictures; together with the marks they are the whole prompt's."""

        def coded(text: str) -> list[int]:
            ids: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
            return ids

        prompt = conversation([part for word in words for part in (word, None)][:-1], system)
        parts = [coded(part) for part in prompt.split(IMAGE)]
        if sum(map(len, parts)) + len(parts) - 1 != len(coded(prompt)):
            raise CriticError(f"{self.tokenizer.name_or_path}: the tokenizer reads a prompt otherwise than its parts")
        return tuple(torch.tensor(part, dtype=torch.long) for part in parts)

    def _marks(self, count: int) -> Tensor:
        return torch.full((count,), self.model.config.image_token_index)

    def _first(self, **inputs: Any) -> list[WrittenToken]:
        placed = {k: v.to(self.model.device) if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
        with torch.inference_mode():
            logits = self.model(**placed, logits_to_keep=1).logits[:, -1]
        return self.tokens(logits)


def _bytes_of(beginning: tuple[DynamicCache, int]) -> int:
    """How large the keys and values of a beginning are."""
    return sum(tensor.nbytes for layer in beginning[0].layers for tensor in (layer.keys, layer.values))


def _as_output(features: Sequence[Tensor]) -> dict[str, Any]:
    return {"image": BaseModelOutputWithPooling(pooler_output=list(features))}
