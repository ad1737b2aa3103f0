"""What a denoiser is told of prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

MASK = "mask"  # among what is added: which tokens are the prompt's, where the others only fill it up


@dataclass(frozen=True)
class Conditioning:
    """What the denoiser is told of N prompts."""

    text: Tensor  # (N, tokens, width)
    added: Mapping[str, Tensor]  # each (N, ...): of UNets their ``added_cond_kwargs``, of others what their kind reads

    @classmethod
    def of_sdxl(cls, text: Tensor, pooled: Tensor, time_ids: Tensor) -> Conditioning:
        """SDXL's: the text, its embedding as a whole (N, width), and sizes (N, 6): original, crop's corner, target."""
        return cls(text, {"text_embeds": pooled, "time_ids": time_ids})

    @classmethod
    def of_lengths(cls, texts: Sequence[Tensor]) -> Conditioning:
        """Of texts (tokens, width) that are not all as long: filled up with zeros, with a mask of what is theirs."""
        masks = [torch.ones(len(text), dtype=torch.bool, device=text.device) for text in texts]
        return cls(pad_sequence([*texts], batch_first=True), {MASK: pad_sequence(masks, batch_first=True)})

    @property
    def texts(self) -> list[Tensor]:
        """The texts (tokens, width) as long as they are."""
        if MASK not in self.added:
            return [*self.text]
        return [text[own] for text, own in zip(self.text, self.added[MASK], strict=True)]

    def at(self, index: Tensor | slice | list[int]) -> Conditioning:
        """The conditioning of some of the prompts."""
        return Conditioning(self.text[index], {name: value[index] for name, value in self.added.items()})

    def followed_by(self, other: Conditioning) -> Conditioning:
        """The conditioning of these prompts and then of others, of the same base."""
        tokens = max(self.text.shape[1], other.text.shape[1]) if MASK in self.added else 0
        ours, theirs = (one._filled(tokens) for one in (self, other))
        added = {name: torch.cat([value, theirs.added[name]]) for name, value in ours.added.items()}
        return Conditioning(torch.cat([ours.text, theirs.text]), added)

    def _filled(self, tokens: int) -> Conditioning:
        """With at least so many tokens, those that come to it masked."""
        missing = tokens - self.text.shape[1]
        if missing <= 0:
            return self
        mask = pad(self.added[MASK], (0, missing))
        return Conditioning(pad(self.text, (0, 0, 0, missing)), {**self.added, MASK: mask})


def square_time_ids(side: int, count: int = 1) -> Tensor:
    """SDXL's six size numbers (count, 6) for an uncropped square of ``side`` pixels."""
    return torch.tensor([[side, side, 0, 0, side, side]], dtype=torch.float32).repeat(count, 1)
