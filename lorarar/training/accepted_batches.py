"""The hypernetwork's training on the pictures that a judge accepts: learning from the judge, on any base."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.merging.head import Head
from lorarar.training.accepted_pictures import AcceptedPictures
from lorarar.training.encoding import FilePictures, encode_pictures
from lorarar.training.loop import pick
from lorarar.training.options import HypernetOptions
from lorarar.training.picture_batches import PictureBatches
from lorarar.training.share import Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class AcceptedBatches(PictureBatches):
    """Pairs that have accepted pictures, drawn equally, and of each pair some of its pictures, drawn equally.

    A pair whose merges are often accepted counts no more than one of which a single picture is.
    """

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        accepted: AcceptedPictures,
        hypernet: Head,
        options: HypernetOptions,
        side: int,
        checkpointing: bool | None = None,
    ) -> None:
        """Encode all accepted pictures once, in half precision: thousands of 1024 x 1024 take a gigabyte.

        Raises:
            TrainingError: a prompt is too long, or a picture's latents are not finite.
            ImageError: a picture cannot be read.
        """
        pictures = [one for of_pair in accepted.pictures.values() for one in of_pair]
        ours, theirs = ([concept.adapter for concept in group] for group in (accepted.contents, accepted.styles))
        prompts = [one.prompt for one in pictures]
        super().__init__(pipeline, ours, theirs, hypernet, options, side, prompts, checkpointing)
        self.with_pictures = torch.tensor([*accepted.pictures]).T  # (2, pairs)
        self.number_of = torch.zeros(len(accepted.contents), len(accepted.styles), dtype=torch.long)
        self.number_of[self.with_pictures[0], self.with_pictures[1]] = torch.arange(self.with_pictures.shape[1])
        self.counts = torch.tensor([*map(len, accepted.pictures.values())])
        self.starts = self.counts.cumsum(0) - self.counts
        files = FilePictures([one.file for one in pictures], side)
        [self.latents] = encode_pictures(pipeline, [files], torch.float16)

    def draw_pairs(self, generator: torch.Generator, share: Share) -> Tensor:
        """The numbers of contents and of styles (2, P) of all processes' pairs."""
        return self.with_pictures[:, pick(generator, self.with_pictures.shape[1], self.pairs * share.count)]

    def draw_pictures(self, generator: torch.Generator, pairs: Tensor) -> Tensor:
        """The numbers (P size,) of accepted pictures of pairs (2, P), drawn with replacement."""
        numbers = self.number_of[pairs[0], pairs[1]]
        return torch.cat(
            [self.starts[number] + pick(generator, int(self.counts[number]), self.size) for number in numbers]
        )
