"""Several LoRAs trained at once, each on a lesson of its own, for less than each alone.

A step of a small base on a processor is mostly the price of calling its layers: on one core, a step of Pocket with one
sample takes 0.17 s, and one of sixteen LoRAs with a sample each 0.74 s, 0.046 s a LoRA. Each LoRA learns as alone, with
its own gradient and its own moments; only the limit of gradients is of all together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.generation.denoisers.table import denoiser_of, predict
from lorarar.generation.forward_process import forward_process
from lorarar.generation.gates import gated
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.stack import stack, unstack
from lorarar.training.encoding import encode_pictures, encode_texts
from lorarar.training.loop import Objective, pick, train
from lorarar.training.lora import Lesson, LoraDenoising, lora_schedule
from lorarar.training.options import LoraOptions
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class GroupDenoising(Objective):
    """The mean of the base's own diffusion losses of several LoRAs, each on the pictures of its own lesson."""

    def __init__(self, pipeline: StableDiffusionXLPipeline, lessons: Sequence[Lesson], options: LoraOptions) -> None:
        """Encode the lessons and make as many LoRAs, which all start as one alone would.

        Args:
            pipeline: the base, whose denoiser is frozen.
            lessons: one a LoRA, each with pictures of one size and one prompt.
            options: of each of them.

        Raises:
            TrainingError: a lesson has captions, or cannot be encoded.
        """
        super().__init__()
        if any(any(lesson.captions) for lesson in lessons):
            raise TrainingError("LoRAs of lessons with captions are not trained in groups; train each alone")
        start = LoraDenoising(pipeline, lessons[:1], options, checkpointing=False)
        untrained = start.adapter()
        start.close()
        self.denoiser: Any = denoiser_of(pipeline)
        self.size, self.process = options.batch, forward_process(pipeline)
        side = lessons[0].images.shape[-1]
        [self.conditioning] = encode_texts(pipeline, [[lesson.prompt for lesson in lessons]], side)
        self.latents = [torch.cat(encode_pictures(pipeline, lesson.pictures(options.mirrored))) for lesson in lessons]
        self.group = stack([untrained] * len(lessons))
        halves = [half for factors in self.group.layers.values() for half in (factors.down, factors.up)]
        self.halves = nn.ParameterList(halves)

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Noisy latents, as many of each lesson in turn, their timesteps, and what is to be predicted."""
        latents = torch.cat([own[pick(generator, len(own), self.size)] for own in self.latents])
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = self.process.draw(latents, generator)
        noisy = self.process.noised(latents, noise, timesteps)
        device = self.denoiser.device
        aims = self.process.target(latents, noise, timesteps)
        return noisy.to(device, self.conditioning.text.dtype), timesteps.to(device), aims.to(device)

    def forward(self, noisy: Tensor, timesteps: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error of the denoiser's predictions, of every sample with its lesson's LoRA."""
        group, one = self.adapters(), torch.ones((), device=noisy.device)
        owner = torch.arange(len(self.latents), device=noisy.device).repeat_interleave(self.size)
        with gated(self.denoiser, group, Adapter({}), dict.fromkeys(group.layers, (one, one))):
            prediction = predict(self.denoiser, noisy, timesteps, self.conditioning.at(owner))
        return torch.nn.functional.mse_loss(prediction.float(), targets)

    def adapters(self) -> Adapter:
        """The LoRAs as they are now, as a stack."""
        halves = list(self.halves)
        layers = zip(self.group.layers, halves[::2], halves[1::2], strict=True)
        return Adapter({name: Factors(down, up) for name, down, up in layers})


def train_lora_group(
    pipeline: StableDiffusionXLPipeline,
    lessons: Sequence[Lesson],
    options: LoraOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
    title: str = "loras",
) -> list[Adapter]:
    """Train a LoRA on each of several lessons, all at once; return them in order.

    Args:
        pipeline: the base; left as it was.
        lessons: of pictures of one size, without captions.
        options: of each LoRA.
        checkpoint: a file to resume from and to keep the state in.
        makings: all that decides the training; the checkpoint of another one is refused.
        accelerator: device and precision; of one process alone.
        title: name in the progress display.

    Raises:
        TrainingError: a lesson has captions, the checkpoint is another training's, or numbers are no longer finite.
    """
    objective = GroupDenoising(pipeline, lessons, options)
    limit = 1 / len(lessons) ** 0.5  # of the gradient of a mean: one for each LoRA, if all are alike
    schedule = replace(lora_schedule(options), clip=limit)
    train(objective, schedule, checkpoint, title=title, makings=makings, accelerator=accelerator)
    return [
        Adapter({n: Factors(f.down.detach().cpu(), f.up.detach().cpu()) for n, f in one.layers.items()})
        for one in unstack(objective.adapters())
    ]
