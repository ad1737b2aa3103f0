"""Train the hypernetwork on pairs of content and style LoRAs (the paper's Algorithm 1 and Eq. 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.adapter import Adapter, Factors, Part
from lorarar.concepts import Concept
from lorarar.diffusion import Conditioning, encode_images, encode_prompts, predict
from lorarar.gates import Gates, gated
from lorarar.hypernet import Coefficients, Hypernetwork, KeyValue
from lorarar.images import read_images
from lorarar.training.loop import Objective, Plan, pick, train
from lorarar.training.lora import training_scheduler

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

Fidelity = Literal["l2", "mse"]
Regulariser = Literal["dot", "cosine"]


def _l2(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean over samples of the L2 norm of the difference (the paper's)."""
    norms: Tensor = torch.linalg.vector_norm((ours - theirs).flatten(1), dim=1)
    return norms.mean()


def _mse(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean squared difference (the authors' code)."""
    return torch.mean((ours - theirs) ** 2)


def _dot(pairs: Sequence[Coefficients]) -> Tensor:
    """Sum over layers of abs(m_c . m_s) (the paper's)."""
    return torch.stack([(m_c @ m_s).abs() for m_c, m_s in pairs]).sum()


def _cosine(pairs: Sequence[Coefficients]) -> Tensor:
    """Sum over layers of the absolute cosine similarity of m_c and m_s (the authors' code)."""
    return torch.stack([torch.cosine_similarity(m_c, m_s, dim=0).abs() for m_c, m_s in pairs]).sum()


FIDELITIES: Mapping[Fidelity, Callable[[Tensor, Tensor], Tensor]] = {"l2": _l2, "mse": _mse}
REGULARISERS: Mapping[Regulariser, Callable[[Sequence[Coefficients]], Tensor]] = {"dot": _dot, "cosine": _cosine}


@dataclass(frozen=True)
class HypernetOptions:
    """What shapes a hypernetwork's training; the defaults are the paper's (Sections 3.3, 3.4, A1.3)."""

    hidden: int = 128
    parts: tuple[Part, ...] = ("query", "output")
    key_value: KeyValue = "mean"
    fidelity: Fidelity = "l2"
    regulariser: Regulariser = "dot"
    strength: float = 0.01  # lambda of Eq. 3
    steps: int = 5000
    rate: float = 0.01
    batch: int = 1  # noisy latents of content, and as many of style, a step
    seed: int = 0


@dataclass(frozen=True)
class _Side:
    """One concept, ready for the UNet."""

    adapter: Adapter
    latents: Tensor
    conditioning: Conditioning


class Merging(Objective):
    """Eq. 3: the merged model should denoise content as content's LoRA does, and style as style's does."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[Concept],
        styles: Sequence[Concept],
        options: HypernetOptions,
        side: int,
    ) -> None:
        super().__init__()
        self.unet: Any = pipeline.unet.requires_grad_(False)
        self.options, self.scheduler = options, training_scheduler(pipeline)
        self.contents = [_prepare(pipeline, concept, side) for concept in contents]
        self.styles = [_prepare(pipeline, concept, side) for concept in styles]
        torch.manual_seed(options.seed)
        self.hypernet = new_hypernet([s.adapter for s in self.contents], options)

    def trained(self) -> dict[str, nn.Parameter]:
        return dict(self.hypernet.named_parameters())

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Indices of a content and a style, noisy latents of both, their timesteps (Algorithm 1, step 3)."""
        groups = self.contents, self.styles
        indices = [int(pick(generator, len(group), 1)) for group in groups]
        sides = [group[index] for group, index in zip(groups, indices, strict=True)]
        latents = torch.cat([s.latents[pick(generator, len(s.latents), self.options.batch)] for s in sides])
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = pick(generator, self.scheduler.config.num_train_timesteps, len(latents))
        noisy = self.scheduler.add_noise(latents, noise, timesteps)
        device = self.unet.device
        return torch.tensor(indices), noisy.to(device, sides[0].conditioning.text.dtype), timesteps.to(device)

    def forward(self, indices: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        content, style = self.contents[int(indices[0])], self.styles[int(indices[1])]
        conditioning = _side_by_side(content.conditioning, style.conditioning, self.options.batch)
        with torch.no_grad(), gated(self.unet, content.adapter, style.adapter, self._teachers(content, style)):
            wanted = predict(self.unet, noisy, timesteps, conditioning)
        coefficients = self.hypernet(content.adapter, style.adapter)
        with gated(self.unet, content.adapter, style.adapter, _with_own(coefficients, content, style)):
            merged = predict(self.unet, noisy, timesteps, conditioning)
        return self._loss(merged.float(), wanted.float(), coefficients)

    def _loss(self, merged: Tensor, wanted: Tensor, coefficients: Mapping[str, Coefficients]) -> Tensor:
        fidelity, size = FIDELITIES[self.options.fidelity], self.options.batch
        predicted = [pair for layer, pair in coefficients.items() if self.hypernet.predicts(layer)]
        overlap = REGULARISERS[self.options.regulariser](predicted)
        of_content, of_style = fidelity(merged[:size], wanted[:size]), fidelity(merged[size:], wanted[size:])
        return of_content + of_style + self.options.strength * overlap

    def _teachers(self, content: _Side, style: _Side) -> Gates:
        """Gates that show the first half of the samples content's LoRA alone, the second half style's."""
        half = torch.arange(2 * self.options.batch, device=self.unet.device) < self.options.batch
        first = half.to(content.conditioning.text.dtype).view(-1, 1, 1)
        return dict.fromkeys({*content.adapter.layers, *style.adapter.layers}, (first, 1 - first))


def new_hypernet(adapters: Sequence[Adapter], options: HypernetOptions) -> Hypernetwork:
    """An untrained hypernetwork for the widths of these adapters; it starts at the plain sum.

    With zero output weights and a bias of one every coefficient is 1 before the first step: the point
    from which ZipLoRA starts too.
    """
    widths = {factors.up.shape[0] for adapter in adapters for factors in adapter.layers.values()}
    network = Hypernetwork(sorted(widths), options.hidden, options.parts, options.key_value)
    nn.init.ones_(network.output.bias)
    return network


def train_hypernet(
    pipeline: StableDiffusionXLPipeline,
    contents: Sequence[Concept],
    styles: Sequence[Concept],
    options: HypernetOptions,
    *,
    checkpoint: Path | None = None,
    accelerator: Accelerator | None = None,
    side: int = 1024,
) -> Hypernetwork:
    """Train a hypernetwork on all pairs of these contents and styles.

    Args:
        pipeline: the base; left as it was.
        contents, styles: LoRAs with their pictures and prompts.
        options: form, loss and length.
        checkpoint: a file to resume from and to keep the state in.
        accelerator: device, precision and processes.
        side: pixels a side of the pictures.
    """
    objective = Merging(pipeline, contents, styles, options, side)
    plan = Plan(options.steps, options.rate, options.seed, warmup=min(100, options.steps // 10), save_every=200)
    train(objective, plan, checkpoint, title="hypernet", accelerator=accelerator)
    return objective.hypernet.eval().requires_grad_(False)


def _prepare(pipeline: StableDiffusionXLPipeline, concept: Concept, side: int) -> _Side:
    latents = encode_images(pipeline.vae, read_images(concept.images, side))
    device = pipeline.unet.device
    layers = {
        name: Factors(factors.down.float().to(device), factors.up.float().to(device))
        for name, factors in concept.adapter.layers.items()
    }
    adapter = Adapter(layers, concept.name, concept.adapter.sha256)
    return _Side(adapter, latents, encode_prompts(pipeline, [concept.prompt], side))


def _side_by_side(content: Conditioning, style: Conditioning, size: int) -> Conditioning:
    """Content's prompt ``size`` times, then style's as often."""
    index = [0] * size
    ours, theirs = content.at(index), style.at(index)
    return Conditioning(
        torch.cat([ours.text, theirs.text]),
        torch.cat([ours.pooled, theirs.pooled]),
        torch.cat([ours.time_ids, theirs.time_ids]),
    )


def _with_own(coefficients: Mapping[str, Coefficients], content: _Side, style: _Side) -> dict[str, Coefficients]:
    """The coefficients, and 1 for layers that only one adapter has."""
    gates = dict(coefficients)
    one = torch.ones((), device=content.conditioning.text.device)
    for layer in {*content.adapter.layers, *style.adapter.layers} - set(gates):
        gates[layer] = (one, one)
    return gates
