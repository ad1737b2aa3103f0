"""The hypernetwork's training on the true pictures of its pairs: a ceiling, for only a base that knows them has any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.generation.latents import images_to_tensor, target
from lorarar.merging.hypernet import Hypernetwork
from lorarar.pictures.concepts import Concept
from lorarar.pictures.prompts import pair_prompt
from lorarar.training.encoding import NamedPicture, encode_pictures, encode_texts
from lorarar.training.options import HypernetOptions
from lorarar.training.pair_batches import PairBatches
from lorarar.training.share import ALONE, Share
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline
    from PIL.Image import Image

Truth = Callable[[Concept, Concept], "Image | None"]  # the true picture of a content in a style, where it is known


@dataclass(frozen=True)
class _TruePictures:
    """The true pictures of one content in every style, painted when their turn comes."""

    content: Concept
    styles: Sequence[Concept]
    truth: Truth
    side: int

    def __len__(self) -> int:
        return len(self.styles)

    def __iter__(self) -> Iterator[NamedPicture]:
        for style in self.styles:
            name = f"{self.content.name} in {style.name}"
            picture = self.truth(self.content, style)
            if picture is None:
                raise TrainingError(f"{name} has no true picture that is known; accepted is --objective paper")
            yield name, images_to_tensor([picture], self.side)[0]


class TruthBatches(PairBatches):
    """The base's own diffusion loss of the merged models on their pairs' true pictures, under the joint prompt."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[Concept],
        styles: Sequence[Concept],
        hypernet: Hypernetwork,
        options: HypernetOptions,
        side: int,
        truth: Truth,
        checkpointing: bool | None = None,
    ) -> None:
        """Encode the true picture of every pair, and the prompts.

        Raises:
            TrainingError: a true picture is not known, or a prompt is too long.
        """
        ours, theirs = ([concept.adapter for concept in group] for group in (contents, styles))
        super().__init__(pipeline, ours, theirs, hypernet, options.pairs, checkpointing)
        self.size = options.batch
        prompts = [[pair_prompt(content.prompt, style.prompt) for style in styles] for content in contents]
        distinct = sorted({prompt for row in prompts for prompt in row})
        self.prompt_of = torch.tensor([[distinct.index(prompt) for prompt in row] for row in prompts])
        [self.conditioning] = encode_texts(pipeline, [distinct], side)
        pictures = [_TruePictures(content, styles, truth, side) for content in contents]
        self.latents = torch.stack(encode_pictures(pipeline, pictures))  # (contents, styles, C, h, w)

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """Pairs (2, P), noisy latents of their true pictures, their timesteps, and what the UNet should predict."""
        pairs = self.draw_pairs(generator, share)
        latents = self.latents[pairs[0], pairs[1]].repeat_interleave(self.size, dim=0)
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = self.spread(generator, len(latents))
        latents, noise, timesteps = map(share.of, (latents, noise, timesteps))
        noisy = self.scheduler.add_noise(latents, noise, timesteps)
        aims = target(self.scheduler, latents, noise, timesteps)
        device, dtype = self.unet.device, self.conditioning.text.dtype
        return share.of(pairs.T).T, noisy.to(device, dtype), timesteps.to(device), aims.to(device)

    def forward(self, pairs: Tensor, noisy: Tensor, timesteps: Tensor, aims: Tensor) -> Tensor:
        """Mean squared error of the merged models' predictions."""
        prompts = self.prompt_of[pairs[0], pairs[1]].repeat_interleave(self.size)
        merged, _ = self.merged(*self.stacks(pairs), noisy, timesteps, self.conditioning.at(prompts))
        return torch.nn.functional.mse_loss(merged, aims)
