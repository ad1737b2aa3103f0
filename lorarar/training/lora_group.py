"""Several LoRAs trained at once, each on lessons of its own, for less than each alone.

A step of a small base on a processor is mostly the price of calling its layers: on one core, a step of Pocket with one
sample takes 0.17 s, and one of sixteen LoRAs with a sample each 0.74 s, 0.046 s a LoRA. Each learns as it would alone:
the same samples, its own gradient with a limit of its own, its own moments; what it ends in differs by rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.generation.checkpointing import is_checkpointed
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.table import denoiser_of, predict
from lorarar.generation.gates import gated
from lorarar.lora.adapter import Adapter
from lorarar.lora.stack import unstack
from lorarar.training.lesson import Lesson
from lorarar.training.loop import Objective, train
from lorarar.training.lora import lora_schedule
from lorarar.training.lora_layers import kept_lora, lora_of, untrained_weights
from lorarar.training.lora_samples import LoraSamples
from lorarar.training.member_checkpoints import MemberState
from lorarar.training.options import LoraOptions
from lorarar.training.share import Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class GroupDenoising(Objective):
    """The sum of the base's own diffusion losses of several LoRAs, each on the pictures of its own lessons."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        lessons: Sequence[Sequence[Lesson]],
        options: LoraOptions,
        checkpointing: bool | None = None,
    ) -> None:
        """Encode the lessons and make as many LoRAs, which all start as one alone would.

        Args:
            pipeline: the base, whose denoiser is frozen.
            lessons: one or several a LoRA, all with pictures of one size.
            options: of each of them.
            checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.

        Raises:
            TrainingError: a lesson cannot be encoded, or no layer can have this rank.
        """
        super().__init__()
        self.denoiser: Any = denoiser_of(pipeline)
        self.members = len(lessons)
        self.checkpointing = is_checkpointed(self.denoiser, checkpointing)
        start = untrained_weights(self.denoiser, options)
        self.samples = [LoraSamples(pipeline, own, options) for own in lessons]
        conditionings = [own.conditioning for own in self.samples]
        self.conditioning = reduce(Conditioning.followed_by, conditionings)
        self.firsts = [0, *accumulate(len(own.text) for own in conditionings)]  # prompts of all that come before
        self.names = list(start)
        self.weights = nn.ParameterList(weight.expand(self.members, *weight.shape).clone() for weight in start.values())

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """Noisy latents, as many of each LoRA in turn, their timesteps, what is to be predicted, and their prompts.

        All that a LoRA draws is what it would draw alone, by a generator of its own.
        """
        each = [own.batch(generator_of(0), share) for own in self.samples]
        noisy, timesteps, targets, prompts = (list(parts) for parts in zip(*each, strict=True))
        numbers = [first + own for first, own in zip(self.firsts, prompts, strict=False)]
        return torch.cat(noisy), torch.cat(timesteps), torch.cat(targets), torch.cat(numbers)

    def forward(self, noisy: Tensor, timesteps: Tensor, targets: Tensor, prompt: Tensor) -> Tensor:
        """The sum over LoRAs of the mean squared error of the denoiser's predictions."""
        group, one = lora_of(self.trained()), torch.ones((), device=noisy.device)
        gates = dict.fromkeys(group.layers, (one, one))
        with gated(self.denoiser, group, Adapter({}), gates, checkpointing=self.checkpointing):
            prediction = predict(self.denoiser, noisy, timesteps, self.conditioning.at(prompt))
        return self.members * F.mse_loss(prediction.float(), targets)

    def trained(self) -> dict[str, nn.Parameter]:
        """The weights of one LoRA's layers by name, those of all LoRAs one above another."""
        return dict(zip(self.names, self.weights, strict=True))

    def adapters(self) -> list[Adapter]:
        """The LoRAs as they are now."""
        return unstack(kept_lora(self.trained()))


def train_lora_group(
    pipeline: StableDiffusionXLPipeline,
    lessons: Sequence[Sequence[Lesson]],
    options: LoraOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    members: Sequence[MemberState] = (),
    accelerator: Accelerator | None = None,
    title: str = "loras",
) -> list[Adapter]:
    """Train several LoRAs at once, each on one lesson, or on several jointly; return them in order.

    Args:
        pipeline: the base; left as it was.
        lessons: those of each LoRA, of pictures of one size.
        options: of each LoRA.
        checkpoint: a file to resume from and to keep the state of all in.
        makings: all that decides the training; the checkpoint of another one is refused.
        members: instead of both each LoRA's own, as if it were trained alone.
        accelerator: device and precision; of one process alone.
        title: name in the progress display.

    Raises:
        TrainingError: the checkpoint is another training's, or numbers are no longer finite.
    """
    objective = GroupDenoising(pipeline, lessons, options)
    train(
        objective,
        lora_schedule(options),
        checkpoint,
        title=title,
        makings=makings,
        members=members,
        accelerator=accelerator,
    )
    return objective.adapters()
