"""The hypernetwork's training on pictures of its pairs: the base's own diffusion loss of the merged models on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.lora.adapter import Adapter
from lorarar.merging.head import Head
from lorarar.training.encoding import encode_texts
from lorarar.training.options import HypernetOptions
from lorarar.training.pair_batches import PairBatches
from lorarar.training.share import ALONE, Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

TOGETHER = 512  # prompts that the text encoders are given at once


class PictureBatches(PairBatches):
    """Target pictures of pairs, each under a prompt of its own; which a pair has, and which are drawn, others say.

    A subclass sets ``latents`` before its first batch.
    """

    latents: Tensor  # (N, C, h, w) of all target pictures, on the CPU

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[Adapter],
        styles: Sequence[Adapter],
        hypernet: Head,
        options: HypernetOptions,
        side: int,
        prompts: Sequence[str],
        checkpointing: bool | None = None,
    ) -> None:
        """Encode the prompts (N) of the target pictures, each of them once.

        Raises:
            TrainingError: a prompt is too long.
        """
        super().__init__(pipeline, contents, styles, hypernet, options.pairs, checkpointing)
        self.size = options.batch
        place = {prompt: number for number, prompt in enumerate(sorted({*prompts}))}
        self.prompt_of = torch.tensor([place[prompt] for prompt in prompts])
        distinct = [*place]
        groups = [distinct[start : start + TOGETHER] for start in range(0, len(distinct), TOGETHER)]
        self.conditioning = reduce(Conditioning.followed_by, encode_texts(pipeline, groups, side))

    def draw_pictures(self, generator: torch.Generator, pairs: Tensor) -> Tensor:
        """The numbers (P size,) of target pictures of pairs (2, P), those of a pair in a row."""
        raise NotImplementedError

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """Pairs (2, P), and of target pictures: numbers, noisy latents, timesteps, and what is to be predicted."""
        pairs = self.draw_pairs(generator, share)
        numbers = self.draw_pictures(generator, pairs)
        latents = self.latents[numbers].float()
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = self.spread(latents, generator)
        numbers, latents, noise, timesteps = map(share.of, (numbers, latents, noise, timesteps))
        noisy = self.process.noised(latents, noise, timesteps)
        aims = self.process.target(latents, noise, timesteps)
        device, dtype = self.denoiser.device, self.conditioning.text.dtype
        return share.of(pairs.T).T, numbers, noisy.to(device, dtype), timesteps.to(device), aims.to(device)

    def forward(self, pairs: Tensor, numbers: Tensor, noisy: Tensor, timesteps: Tensor, aims: Tensor) -> Tensor:
        """Mean squared error of the merged models' predictions."""
        conditioning = self.conditioning.at(self.prompt_of[numbers])
        merged, _ = self.merged(*self.stacks(pairs), noisy, timesteps, conditioning)
        return torch.nn.functional.mse_loss(merged, aims)
