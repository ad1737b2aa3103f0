"""Train a LoRA by the DreamBooth protocol: a few pictures, one prompt, the text encoders frozen.

A picture that has a caption is bound to that instead of the prompt. Several such lessons for one LoRA are the paper's
joint training (multi-concept DreamBooth).
Content is bound to a rare token ("a sks dog"), style to its description ("a house in watercolor
painting style"). Latents and text embeddings are computed once, before the first step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.generation.checkpointing import checkpointed, is_checkpointed
from lorarar.generation.denoisers.table import denoiser_of, predict
from lorarar.lora.adapter import Adapter
from lorarar.training.lesson import Lesson
from lorarar.training.loop import Objective, Schedule, train
from lorarar.training.lora_layers import add_lora_layers, kept_lora, layers_to_train, lora_weights
from lorarar.training.lora_samples import LoraSamples
from lorarar.training.options import LoraOptions
from lorarar.training.sampling import Sampler, Sampling
from lorarar.training.share import ALONE, Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class LoraDenoising(Objective):
    """The base's own diffusion loss on the pictures of one or several lessons, through LoRA layers.

    Every lesson is drawn equally often, however many pictures it has.
    """

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        lessons: Sequence[Lesson],
        options: LoraOptions,
        checkpointing: bool | None = None,
    ) -> None:
        """Encode the lessons and put LoRA layers on the denoiser; whatever fails leaves none of them there.

        Args:
            pipeline: the base, whose denoiser is frozen.
            lessons: pictures and prompts, all of one size.
            options: rank, batch, seed, layers.
            checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        """
        super().__init__()
        self.denoiser: Any = denoiser_of(pipeline)
        targets = layers_to_train(self.denoiser, options)
        self.checkpointing = is_checkpointed(self.denoiser, checkpointing)
        self.samples = LoraSamples(pipeline, lessons, options)
        add_lora_layers(self.denoiser, targets, options)

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """A share of one batch for all, so that processes train as one alone does with a batch of them all."""
        return self.batch(generator_of(0), share)

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """Noisy latents, their timesteps, what is to be predicted, and the number of each one's prompt."""
        return self.samples.batch(generator, share)

    def forward(self, noisy: Tensor, timesteps: Tensor, targets: Tensor, prompt: Tensor) -> Tensor:
        """Mean squared error of the denoiser's prediction."""
        with checkpointed(self.denoiser) if self.checkpointing else nullcontext():
            prediction = predict(self.denoiser, noisy, timesteps, self.samples.conditioning.at(prompt))
        return F.mse_loss(prediction.float(), targets)

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters of the LoRA layers, by names that begin as their layers' do."""
        return lora_weights(self.denoiser)

    def adapter(self) -> Adapter:
        """The LoRA as it is now."""
        return kept_lora(self.trained())

    def close(self) -> None:
        """Take the LoRA layers off the denoiser again, which leaves the pipeline as it was."""
        self.denoiser.unload_lora()


def train_lora(
    pipeline: StableDiffusionXLPipeline,
    lessons: Sequence[Lesson],
    options: LoraOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
    checkpointing: bool | None = None,
    title: str = "lora",
    sampling: Sampling | None = None,
) -> Adapter:
    """Train one LoRA on one lesson, a subject or a style, or on several jointly; return it as exact factors.

    Args:
        pipeline: the base; left as it was.
        lessons: pictures and prompts, all of one size.
        options: rank, steps, rate, batch, seed.
        checkpoint: a file to resume from and to keep the state in.
        makings: all that decides the training; the checkpoint of another one is refused.
        accelerator: device, precision and processes; by default what accelerate finds.
        checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        title: name in the progress display.
        sampling: what is drawn meanwhile; by default nothing. It changes no bit of the LoRA.
    """
    sampler = _sampler(pipeline, lessons, options, sampling, accelerator)
    objective = LoraDenoising(pipeline, lessons, options, checkpointing)

    def on_step(step: int, loss: float) -> None:
        if sampler and sampler.is_due(step):
            sampler.draw(step, objective.adapter())

    try:
        run = train(
            objective,
            lora_schedule(options),
            checkpoint,
            title=title,
            makings=makings,
            accelerator=accelerator,
            on_step=on_step,
        )
    finally:
        objective.close()
    return kept_lora(run.result())


def _sampler(
    pipeline: StableDiffusionXLPipeline,
    lessons: Sequence[Lesson],
    options: LoraOptions,
    sampling: Sampling | None,
    accelerator: Accelerator | None,
) -> Sampler | None:
    """What draws meanwhile, in one process alone; None where nothing is drawn."""
    if sampling is None or (accelerator and not accelerator.is_main_process):
        return None
    return Sampler(pipeline, sampling, lessons[0].images.shape[-1], options.steps)


def lora_schedule(options: LoraOptions) -> Schedule:
    """At a constant rate, as in the DreamBooth protocol, but for the decay that is asked for."""
    return Schedule(
        steps=options.steps,
        rate=options.rate,
        seed=options.seed,
        decay=options.decay,
        save_every=200,
        weight_decay=1e-4,
        optimiser=options.optimiser,
    )
