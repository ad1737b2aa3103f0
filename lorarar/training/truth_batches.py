"""The hypernetwork's training on the true pictures of its pairs: a ceiling, for only a base that knows them has any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.generation.latents import images_to_tensor
from lorarar.merging.head import Head
from lorarar.pictures.concepts import Concept
from lorarar.pictures.prompts import pair_prompt
from lorarar.pictures.true_pictures import Truth
from lorarar.training.encoding import NamedPicture, encode_pictures
from lorarar.training.options import HypernetOptions
from lorarar.training.picture_batches import PictureBatches
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


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


class TruthBatches(PictureBatches):
    """The base's own diffusion loss of the merged models on their pairs' true pictures, under the joint prompt."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[Concept],
        styles: Sequence[Concept],
        hypernet: Head,
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
        prompts = [pair_prompt(content.prompt, style.prompt) for content in contents for style in styles]
        super().__init__(pipeline, ours, theirs, hypernet, options, side, prompts, checkpointing)
        pictures = [_TruePictures(content, styles, truth, side) for content in contents]
        self.latents = torch.cat(encode_pictures(pipeline, pictures))

    def draw_pictures(self, generator: torch.Generator, pairs: Tensor) -> Tensor:
        """The numbers (P size,) of the true pictures of pairs (2, P), each as often as it is noised."""
        return (pairs[0] * len(self.loras[1]) + pairs[1]).repeat_interleave(self.size)
