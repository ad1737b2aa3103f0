"""Pictures that are drawn while a LoRA is trained, with the LoRA as it is then: one prompt, one noise.

Invariant: the training ends in the same bits with and without them, and goes on where one cannot be drawn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lorarar.families import Base
from lorarar.generation.decoding import decode
from lorarar.generation.denoisers.table import denoiser_of, pipeline_kind
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.picture import Picture
from lorarar.generation.residence import residing
from lorarar.generation.settings import DrawingSettings
from lorarar.lora.adapter import Adapter
from lorarar.pictures.images import write_png
from lorarar.training.setup import native_side
from lorarar.util.errors import LorarError, reason
from lorarar.util.messages import message
from lorarar.util.out_of_memory import is_out_of_memory

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline
    from PIL import Image

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Sampling:
    """What is drawn while a LoRA is trained, and where it goes."""

    every: int  # steps from one picture to the next; the last step has one too
    prompt: str
    folder: Path
    base: Base
    seed: int = 0  # of the noise of all of them


class Sampler:
    """Draws a LoRA's samples on the denoiser that it is trained on."""

    def __init__(self, pipeline: StableDiffusionXLPipeline, sampling: Sampling, side: int, steps: int) -> None:
        """Encode the prompt, for which the text encoders come and leave.

        Args:
            pipeline: the base, without LoRA layers.
            sampling: what is drawn.
            side: pixels a side.
            steps: of the whole training.
        """
        self.pipeline: Any = pipeline
        self.sampling, self.steps = sampling, steps
        self.kind, own = pipeline_kind(pipeline), native_side(pipeline)
        self.settings = DrawingSettings.of(sampling.base, {"size": None if side == own else (side, side)})
        encoders = [pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None)]
        device = denoiser_of(pipeline).device
        with residing(device, *encoders), torch.no_grad():
            self.words = self.kind.encoded_arguments(
                pipeline, sampling.prompt, self.settings.negative, self.settings.guidance, device
            )

    def is_due(self, step: int) -> bool:
        """Whether there is a picture after this step."""
        return step % self.sampling.every == 0 or step == self.steps

    def draw(self, step: int, adapter: Adapter) -> None:
        """Write the picture of a step; where there is none, say so in a line.

        Args:
            step: of the training.
            adapter: the LoRA as it is on the denoiser, for the picture's notes.
        """
        try:
            self._write(step, adapter)
        except (LorarError, RuntimeError, ValueError, MemoryError) as error:
            message(f"there is no picture of step {step}: {reason(error)}; the training goes on", "yellow")

    def _write(self, step: int, adapter: Adapter) -> None:
        """Write the picture of a step, with what made it.

        Raises:
            ImageError, DrawingError, RuntimeError, ValueError, MemoryError: it cannot be drawn or written.
        """
        sampling, denoiser = self.sampling, denoiser_of(self.pipeline)
        started = time.perf_counter()
        picture = Picture(
            image=self._image(),
            prompt=sampling.prompt,
            seed=sampling.seed,
            settings=self.settings,
            base=sampling.base,
            lora=adapter.identity,
            seconds=time.perf_counter() - started,
            drawing=DrawingFacts.of_loaded(sampling.base, str(denoiser.device), denoiser.dtype),
        )
        name = f"step-{step:0{len(str(self.steps))}d}.png"
        write_png(picture.image, sampling.folder / name, {**picture.notes(), "step": str(step)})

    def _image(self) -> Image.Image:
        """The picture by the LoRA that is on the denoiser now."""
        size = self.settings.size or self.kind.own_size(self.pipeline)
        width, height = size or (None, None)
        with _left_alone(self.pipeline):
            output = self.pipeline(
                **self.words,
                width=width,
                height=height,
                generator=[torch.Generator().manual_seed(self.sampling.seed)],
                num_inference_steps=self.settings.steps,
                output_type="latent",
            ).images
            return self._decoded(self.kind.latents(self.pipeline, output, size))

    def _decoded(self, latents: Tensor) -> Image.Image:
        """The picture of latents (1, C, h, w), decoded beside the denoiser, or where that does not fit on the CPU."""
        try:
            return self._decoded_on(latents.device, latents)
        except (RuntimeError, MemoryError) as error:
            if latents.device == _CPU or not is_out_of_memory(error):
                raise
        return self._decoded_on(_CPU, latents)

    def _decoded_on(self, device: torch.device, latents: Tensor) -> Image.Image:
        with residing(device, self.pipeline.vae, dtype=torch.float32):
            return decode(self.pipeline, latents.to(device), [self.sampling.seed])[0]


@contextmanager
def _left_alone(pipeline: Any) -> Iterator[None]:
    """Draw inside; afterwards the random numbers, the scheduler and the VAE's tiles are as they were."""
    scheduler, tiled = pipeline.scheduler, pipeline.vae.use_tiling
    device = denoiser_of(pipeline).device
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            pipeline.scheduler = type(scheduler).from_config(scheduler.config)
            yield
    finally:
        pipeline.scheduler, pipeline.vae.use_tiling = scheduler, tiled
