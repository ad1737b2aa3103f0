"""The noisy samples of what one LoRA learns: one or several lessons, encoded once, each drawn equally often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lorarar.generation.denoisers.table import denoiser_of
from lorarar.generation.forward_process import forward_process
from lorarar.training.encoding import encode_pictures, encode_texts
from lorarar.training.lesson import Lesson, distinct_prompts
from lorarar.training.options import LoraOptions
from lorarar.training.share import ALONE, Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class LoraSamples:
    """Latents of lessons with what they are bound to, of which a step takes some.

    Every lesson is drawn equally often, however many pictures it has.
    """

    def __init__(self, pipeline: StableDiffusionXLPipeline, lessons: Sequence[Lesson], options: LoraOptions) -> None:
        """Encode the lessons.

        Args:
            pipeline: the base.
            lessons: pictures and prompts, all of one size.
            options: batch, and whether pictures are mirrored.

        Raises:
            TrainingError: a prompt is too long, or a picture's latents are not finite.
        """
        prompts, prompts_of = distinct_prompts(lessons)
        self.denoiser: Any = denoiser_of(pipeline)
        self.size, self.process = options.batch, forward_process(pipeline)
        [self.conditioning] = encode_texts(pipeline, [prompts], lessons[0].images.shape[-1])
        latents = [torch.cat(encode_pictures(pipeline, lesson.pictures(options.mirrored))) for lesson in lessons]
        self.latents = torch.cat(latents)
        both = 2 if options.mirrored else 1
        self.prompt_of = torch.cat([torch.tensor(numbers).repeat(both) for numbers in prompts_of])
        self.chances = torch.cat([torch.full((len(part),), 1 / len(part)) for part in latents])

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Noisy latents, their timesteps, what is to be predicted, and the number of each one's prompt."""
        size = self.size * share.count
        indices = torch.multinomial(self.chances, size, replacement=True, generator=generator)
        latents = self.latents[indices]
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = self.process.draw(latents, generator)
        indices, latents, noise, timesteps = map(share.of, (indices, latents, noise, timesteps))
        noisy = self.process.noised(latents, noise, timesteps)
        targets = self.process.target(latents, noise, timesteps)
        device, dtype = self.denoiser.device, self.conditioning.text.dtype
        return noisy.to(device, dtype), timesteps.to(device), targets.to(device), self.prompt_of[indices].to(device)
