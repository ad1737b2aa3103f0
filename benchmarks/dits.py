"""Diffusion transformers at true size on a GPU: a step of drawing and one of ZipLoRA's training, with random weights.

``python -m benchmarks dits``: what a picture and a training take beside the weights. Text encoders and autoencoder
are not loaded: with ``--offload model`` and while a training runs they are not on the GPU either.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measure import cost, isolated, peak, rest
from benchmarks.page import seconds, section, size, table
from lorarar.families import FAMILIES
from lorarar.families.layer_table import layers_of_model
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.flux1 import POOLED
from lorarar.generation.denoisers.table import kind_of, predict
from lorarar.generation.gates import gated
from lorarar.lora.adapter import Adapter, Factors
from lorarar.util.errors import reason

NAMES = ("flux1", "flux2-klein", "flux2-klein-9b", "qwen-image", "z-image")
TOKENS = 64  # of the picture, a side: 1024 px
WORDS = 128  # tokens of a prompt
RANK = 16
REPEATS = 2
GPU, NUMBERS = "cuda", torch.bfloat16


def run(quick: bool = False) -> str:
    """Measure and describe."""
    if not torch.cuda.is_available():
        return section("Diffusion transformers at true size", "Not measured: there is no GPU.")
    rows = [_row(name) for name in (NAMES[-1:] if quick else NAMES)]
    return section(
        "Diffusion transformers at true size",
        f"Random weights in bfloat16 on {torch.cuda.get_device_name()}; latents of a picture of 1024 px, a prompt of "
        f"{WORDS} tokens. A step of drawing is one run without guidance; a step of training is ZipLoRA's of two LoRAs "
        f"of rank {RANK} on the layers that `train lora` trains: the teachers' run without gradients, and the merged "
        "model's with them, its blocks run again. Memory is what torch had allocated at most, the weights included.",
        table(["base", "weights", "a step of drawing", "memory", "a step of training", "memory"], rows),
    )


def _row(name: str) -> tuple[str, ...]:
    """A family's row; where its process fails, why, and the others go on."""
    try:
        return f"`{name}`", *isolated(_figures, name)
    except (RuntimeError, OSError) as error:  # of CUDA, also out of memory, and of a process that ended
        return f"`{name}`", f"failed: {reason(error)}", "", "", "", ""


def _figures(name: str) -> tuple[str, ...]:
    """A family's figures."""
    model = new_transformer(name)
    weights = rest(GPU)
    noisy, timesteps, words = _inputs(model)
    with torch.no_grad():
        drawing = cost(lambda: predict(model, noisy, timesteps, words), GPU, REPEATS)
    top = peak(GPU)
    training = cost(lambda: _training_step(model, noisy, timesteps, words), GPU, REPEATS)
    return size(weights), seconds(drawing.seconds), size(top), seconds(training.seconds), size(peak(GPU))


def new_transformer(name: str) -> Any:
    """A family's transformer on the GPU with random weights, in float32 at first, as its class begins."""
    family = FAMILIES[name]
    assert family.architecture is not None
    component = family.architecture.components[family.modules.denoiser]
    with torch.device(GPU):
        model = resolve_name(component.kind).from_config(dict(component.config))
    return model.to(NUMBERS).eval().requires_grad_(False)


def _inputs(model: Any) -> tuple[Tensor, Tensor, Conditioning]:
    """Noisy latents, their timestep and a prompt, as wide as the transformer takes them."""
    config, kind = model.config, kind_of(model)
    side = TOKENS * kind.patch
    noisy = torch.randn(1, kind.channels(model), side, side, device=GPU, dtype=NUMBERS)
    width = config.get("joint_attention_dim") or config.cap_feat_dim
    words = Conditioning.of_lengths([torch.randn(WORDS, width, device=GPU, dtype=NUMBERS)])
    if pooled := config.get("pooled_projection_dim"):
        words = Conditioning(words.text, {POOLED: torch.randn(1, pooled, device=GPU, dtype=NUMBERS)})
    return noisy, torch.full((1,), 500.0, device=GPU), words


def _training_step(model: Any, noisy: Tensor, timesteps: Tensor, words: Conditioning) -> None:
    """A step of ZipLoRA for a pair of random LoRAs."""
    content, style = (new_adapter(model, seed) for seed in range(2))
    one = torch.ones((), device=GPU, dtype=NUMBERS)
    teachers = dict.fromkeys(content.layers, (one, 0 * one))
    gates = {
        layer: (
            torch.ones(factors.down.shape[1], device=GPU, dtype=NUMBERS, requires_grad=True),
            torch.ones(factors.down.shape[1], device=GPU, dtype=NUMBERS, requires_grad=True),
        )
        for layer, factors in content.layers.items()
    }
    with torch.no_grad(), gated(model, content, style, teachers):
        taught = predict(model, noisy, timesteps, words)
    with gated(model, content, style, gates, checkpointing=True):
        merged = predict(model, noisy, timesteps, words)
    torch.autograd.backward((merged - taught).square().mean())


def new_adapter(model: nn.Module, seed: int) -> Adapter:
    """A random LoRA of the layers that trainings choose."""
    kind = kind_of(model)
    generator = torch.Generator(GPU).manual_seed(seed)
    layers = {}
    for name, (rows, columns, *_) in layers_of_model(kind.component, model).items():
        if name.endswith(tuple(f".{end}" for end in kind.attention)):
            down = torch.randn(RANK, columns, generator=generator, device=GPU) * 0.02
            up = torch.randn(rows, RANK, generator=generator, device=GPU) * 0.02
            layers[name] = Factors(down.to(NUMBERS), up.to(NUMBERS))
    return Adapter(layers, f"random-{seed}")
