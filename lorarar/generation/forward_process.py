"""How noise comes into latents while a base is trained: as its own scheduler takes it out again."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from lorarar.generation.denoisers.table import pipeline_kind
from lorarar.generation.schedulers import matches_flow


class ForwardProcess(Protocol):
    """Noise levels, latents with so much noise, and what a denoiser should predict of them."""

    def draw(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        """Timesteps (N,) at random for latents (N, C, h, w), as training meets them."""
        ...

    def at(self, places: Tensor, latents: Tensor) -> Tensor:
        """The timesteps at these places, from 0 to 1, of the same distribution: from low noise to high.

        Args:
            places: of any shape.
            latents: (N, C, h, w), whose size may decide them.
        """
        ...

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """The latents (N, C, h, w) with so much noise."""
        ...

    def target(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """What the denoiser should predict of them (N, C, h, w)."""
        ...


class Diffusion:
    """Denoising diffusion: a scheduler's whole timesteps, all equally often."""

    def __init__(self, scheduler: Any) -> None:
        """Take any of diffusers' schedulers that knows how to add noise.

        Raises:
            ValueError: the base predicts neither noise nor velocity.
        """
        self.scheduler = scheduler
        kind = scheduler.config.prediction_type
        if kind not in ("epsilon", "v_prediction"):
            raise ValueError(f"prediction type {kind!r} is not supported; epsilon and v_prediction are")

    def draw(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        return torch.randint(self.scheduler.config.num_train_timesteps, (len(latents),), generator=generator)

    def at(self, places: Tensor, latents: Tensor) -> Tensor:
        return (places * int(self.scheduler.config.num_train_timesteps)).long()

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        noisy: Tensor = self.scheduler.add_noise(latents, noise, timesteps)
        return noisy

    def target(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """The noise, or the velocity of diffusion, by the scheduler's ``prediction_type``."""
        if self.scheduler.config.prediction_type == "epsilon":
            return noise
        velocity: Tensor = self.scheduler.get_velocity(latents, noise, timesteps)
        return velocity


class FlowMatching:
    """Rectified flow: x = (1 - sigma) x_0 + sigma noise, of which the velocity noise - x_0 is predicted.

    Before its shift sigma is the logistic function of a normal number, as Stable Diffusion 3 was trained (Esser et al.
    2024, section 3.1), and the loss has no weights. Then it is shifted as the base's own scheduler shifts it when
    drawing: by a number of its own, or where that is dynamic by the number of the picture's tokens, as in the training
    of FLUX.1's LoRAs by Kohya's scripts (``flux_shift``). Timesteps are sigma times 1000, and need not be whole.
    """

    def __init__(self, pipeline: Any) -> None:
        """Take a base whose scheduler matches flow."""
        self.kind, self.scheduler = pipeline_kind(pipeline), pipeline.scheduler
        self.timesteps = int(self.scheduler.config.num_train_timesteps)

    def draw(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        return self._timesteps(torch.randn(len(latents), generator=generator), latents)

    def at(self, places: Tensor, latents: Tensor) -> Tensor:
        return self._timesteps(torch.special.ndtri(places), latents)

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        sigma = (timesteps / self.timesteps).view(-1, 1, 1, 1)
        return (1 - sigma) * latents + sigma * noise

    def target(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """The velocity, from the picture to the noise."""
        return noise - latents

    def _timesteps(self, normal: Tensor, latents: Tensor) -> Tensor:
        """The timesteps of standard normal numbers; sigma = s u / (1 + (s - 1) u) for u their logistic function."""
        shift = self._shift(latents.shape[-2] * latents.shape[-1] // self.kind.patch**2)
        u = normal.sigmoid()
        return shift * u / (1 + (shift - 1) * u) * self.timesteps

    def _shift(self, tokens: int) -> float:
        """s, for pictures of so many tokens."""
        config = self.scheduler.config
        if not config.get("use_dynamic_shifting", False):
            return float(config.get("shift", config.get("flow_shift", 1.0)))
        mu = torch.tensor(self.kind.time_shift(config, tokens))
        return float(mu.exp() if config.get("time_shift_type", "exponential") == "exponential" else mu)


def forward_process(pipeline: Any) -> ForwardProcess:
    """The forward process that the pipeline's own scheduler inverts."""
    from diffusers import DDPMScheduler

    if matches_flow(pipeline.scheduler):
        return FlowMatching(pipeline)
    return Diffusion(DDPMScheduler.from_config(pipeline.scheduler.config))
