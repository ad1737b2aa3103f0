"""What each training of SDXL takes on a GPU, counted: the objectives' own code on tensors that have shapes alone."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from torch import Tensor, nn

from benchmarks.held import HeldBytes, shapes_alone
from benchmarks.page import section, table
from benchmarks.sdxl import new_adapter
from lorarar.families.sdxl import UNET, VAE
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.forward_process import Diffusion
from lorarar.generation.latents import encode_images
from lorarar.pictures.concepts import Concept
from lorarar.training.hypernet import HypernetMerging
from lorarar.training.lesson import Lesson
from lorarar.training.loop import Objective, Schedule
from lorarar.training.lora import LoraDenoising
from lorarar.training.merging_loss import Merging
from lorarar.training.optimisers import new_optimizer
from lorarar.training.options import HypernetOptions, LoraOptions, ZipOptions
from lorarar.training.pair_coefficients import PairMerging
from lorarar.training.share import ALONE

GIB = 2**30
SIDE, RANK = 1024, 64
HALF = torch.bfloat16


@dataclass(frozen=True)
class Memory:
    """Bytes on the GPU while a training runs; ``peak`` is the most of them at once."""

    weights: int  # of the frozen UNet
    adapters: int  # LoRAs, and whatever else is trained
    optimiser: int  # its state
    saved: int  # between the forward and the backward pass
    transient: int  # beside all of these, at most

    @property
    def peak(self) -> int:
        """The sum."""
        return self.weights + self.adapters + self.optimiser + self.saved + self.transient


Maker = Callable[[Any, bool], Objective]  # of a pipeline, and whether it is checkpointed


def _lora(pipeline: Any, checkpointing: bool) -> Objective:
    lesson = Lesson(torch.zeros(1, 3, SIDE, SIDE), "a sks dog")
    return LoraDenoising(pipeline, [lesson], LoraOptions(rank=RANK), checkpointing)


def _ziplora(pipeline: Any, checkpointing: bool) -> Objective:
    content, style = _concepts(pipeline)
    return PairMerging(pipeline, content, style, ZipOptions(), SIDE, checkpointing)


def _hypernet(pipeline: Any, checkpointing: bool) -> Objective:
    content, style = _concepts(pipeline)
    return HypernetMerging(pipeline, [content], [style], HypernetOptions(), SIDE, checkpointing)


OBJECTIVES: dict[str, Maker] = {"train lora": _lora, "ziplora": _ziplora, "train hypernet": _hypernet}
SHALLOW = {**UNET, "layers_per_block": 1, "transformer_layers_per_block": [1, 1, 2]}  # a fifth of the work
GOALS = {"train lora": 10, "ziplora": 8, "train hypernet": 8}  # GiB


def count(name: str, checkpointing: bool = True, config: Mapping[str, Any] = UNET) -> Memory:
    """The memory of a step of a training, by name, in bf16 at 1024 px with a batch of one.

    Args:
        name: of ``OBJECTIVES``.
        checkpointing: whether blocks run again in the backward pass; by default as on a GPU.
        config: of the UNet.
    """
    unet = _shape_of(UNet2DConditionModel, config, HALF)
    scheduler = DDPMScheduler()  # of whatever noise: shapes are the same
    with shapes_alone() as held, _encoded():
        pipeline = SimpleNamespace(unet=_placed(unet), scheduler=scheduler)
        weights = held.now
        objective = OBJECTIVES[name](pipeline, checkpointing)
        memory = _step(objective, held, weights)
        del objective
    return memory


def encoding() -> int:
    """The most bytes on the GPU while a picture is encoded: the VAE's, for the UNet makes room meanwhile."""
    vae = _shape_of(AutoencoderKL, VAE, torch.float32)
    with shapes_alone() as held, torch.no_grad():
        encode_images(_placed(vae), torch.zeros(1, 3, SIDE, SIDE), 1)
        return held.peak


def _step(objective: Objective, held: HeldBytes, weights: int) -> Memory:
    """The memory of a step that is not the first, so that the optimiser has its state."""
    trained = objective.trained()
    gc.collect()  # what making it left in circles is counted until it is collected, and is no part of it
    adapters = held.now - weights
    optimizer = new_optimizer(Schedule(steps=1, rate=1e-4), trained.values())
    _give_state(optimizer, trained.values())
    batch = _batch(objective)
    before = held.peak = held.now
    with torch.autocast("cpu", HALF):
        loss = objective(*batch)
    saved = held.now - before
    loss.backward()
    return Memory(weights, adapters, before - weights - adapters, saved, held.peak - before - saved)


def _batch(objective: Objective) -> Sequence[Any]:
    """A batch; the numbers of its pair, which shapes alone do not have, are the first."""
    first, *others = objective.share_of_step(lambda _: torch.Generator(), ALONE)
    return [(0, 0) if isinstance(objective, Merging) else first, *others]


def _give_state(optimizer: torch.optim.Optimizer, weights: Iterable[nn.Parameter]) -> None:
    """Let an optimiser take its first step, on a gradient of zero."""
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _shape_of(kind: Callable[..., Any], config: Mapping[str, Any], dtype: torch.dtype) -> Any:
    """A model on the device meta, where its weights have shapes alone."""
    with torch.device("meta"):
        return nn.Module.to(kind(**config), dtype).requires_grad_(False)


def _placed(model: Any) -> Any:
    """A model of the device meta where it is while a training runs; its weights are counted."""
    return model.to_empty(device="cpu")


def _concepts(pipeline: Any) -> tuple[Concept, Concept]:
    """A content and a style, with LoRAs on all attention in half precision."""
    adapters = (new_adapter(pipeline.unet, RANK, seed).to(HALF) for seed in range(2))
    content, style = (Concept(f"c{number}", adapter, (), "a sks dog") for number, adapter in enumerate(adapters))
    return content, style


@contextmanager
def _encoded() -> Iterator[None]:
    """What is encoded before the first step, and drawn for each, has its shape alone; the rest is a training's own."""

    def texts(pipeline: Any, groups: Sequence[Sequence[str]], side: int) -> list[Conditioning]:
        return [_conditioning(len(prompts)) for prompts in groups]

    def pictures(pipeline: Any, groups: Iterable[object]) -> list[Tensor]:
        return [torch.zeros(1, 4, SIDE // 8, SIDE // 8) for _ in groups]

    def first(generator: torch.Generator, count: int, size: int) -> Tensor:
        return torch.tensor([0] * size)

    def least_noise(process: Diffusion, latents: Tensor, generator: torch.Generator) -> Tensor:
        return torch.tensor([0] * len(latents))

    with ExitStack() as stack:
        for module in ("lorarar.training.lora_samples", "lorarar.training.merging_loss"):
            for name, stand_in in (("encode_texts", texts), ("encode_pictures", pictures)):
                stack.enter_context(patch(f"{module}.{name}", stand_in))
        stack.enter_context(patch("lorarar.training.merging_loss.pick", first))
        stack.enter_context(patch.object(Diffusion, "draw", least_noise))
        yield


def _conditioning(count: int) -> Conditioning:
    text, pooled = torch.zeros(count, 77, 2048, dtype=HALF), torch.zeros(count, 1280, dtype=HALF)
    return Conditioning.of_sdxl(text, pooled, torch.zeros(count, 6, dtype=HALF))


def run(quick: bool) -> str:
    """The page's section; ``quick`` counts a UNet of fewer layers."""
    rows, config = [], SHALLOW if quick else UNET
    for name in OBJECTIVES:
        memory = count(name, config=config)
        parts = (memory.weights, memory.adapters, memory.optimiser, memory.saved, memory.transient, memory.peak)
        rows.append([name, *(f"{part / GIB:.2f}" for part in parts), str(GOALS[name])])
    head = ["", "UNet", "LoRAs, trained", "optimiser", "saved", "transient", "**sum**", "goal"]
    return section(
        "Memory of training, counted",
        f"SDXL at {SIDE} px, rank {RANK}, batch 1, bf16, gradient checkpointing as on a GPU: the objectives' own code "
        "on tensors that have shapes alone, in GiB. Saved is what stands between the forward and the backward pass; "
        "transient what is there beside all else at the worst moment. What CUDA and its libraries take for themselves "
        "is not counted: a lower bound.",
        table(head, rows),
        "Before the first step, pictures are encoded one by one while the UNet makes room: "
        f"{encoding() / GIB:.2f} GiB at most.",
    )
