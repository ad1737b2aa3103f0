"""A step of hypernetwork training and of ZipLoRA: gated branches against dense merged weights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, cast
from unittest.mock import patch

import torch
from diffusers import DDPMScheduler
from torch import Tensor, nn

from benchmarks import dense
from benchmarks.measure import fastest, isolated, peak, rest, wait
from benchmarks.page import ratio, seconds, section, size, table
from benchmarks.sdxl import POOLED, SDXL, SHALLOW, TOY, Size, new_adapter, new_network, new_unet
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.table import predict
from lorarar.generation.gates import Gates
from lorarar.lora.adapter import Adapter
from lorarar.merging.coefficients import Coefficients
from lorarar.training.hypernet import HypernetMerging
from lorarar.training.merging_loss import Merging, PreparedConcept
from lorarar.training.options import HypernetOptions, ZipOptions
from lorarar.training.pair_coefficients import PairMerging
from lorarar.training.regularisers import NOTHING

if TYPE_CHECKING:
    from lorarar.merging.hypernet import Hypernetwork
    from lorarar.pictures.concepts import Concept

Task = Literal["hypernetwork", "ZipLoRA"]

TOKENS = 77
ZIP_STEPS = 100  # the paper's, for one pair
AGREE = 1e-3  # how far both ways' loss and gradient may differ, relatively, in float32


@dataclass(frozen=True)
class Setting:
    """The sizes and the device of a training."""

    shape: Size
    latents: int  # a side
    steps: int
    device: str = "cpu"
    dtype: torch.dtype = torch.float32  # of the UNet's frozen weights; autocast to it where it is half


@dataclass(frozen=True)
class Measured:
    """The cost of a training."""

    loss: float  # Eq. 3 without its regulariser, which would hide the UNet's share, before the first step
    gradient: float  # norm of its gradient
    step: float  # seconds of the fastest step
    total: float  # seconds of all steps, the dense updates formed
    peak: int  # bytes above the UNet and both LoRAs, at most
    held: int  # bytes of the UNet and both LoRAs


class DenseMerging(Merging):
    """The same loss with each layer's merged weight formed; both LoRAs' dense updates are held throughout."""

    ours: dense.Weights
    theirs: dense.Weights

    def hold(self, dtype: torch.dtype) -> None:
        """Form the updates, once for the whole training."""
        self.ours, self.theirs = (dense.updates(side[0].adapter, dtype) for side in (self.contents, self.styles))

    def forward(self, indices: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """As ``Merging.forward``; the teachers need a pass each, for a dense weight serves one of them alone."""
        prompts = [side[0].conditioning.at([0] * self.size) for side in (self.contents, self.styles)]
        halves = slice(None, self.size), slice(self.size, None)
        wanted = []
        for part, conditioning, added in zip(halves, prompts, (self.ours, self.theirs), strict=True):
            changes = {name: partial(torch.add, other=update) for name, update in added.items()}
            with torch.no_grad(), dense.dense_weights(self.denoiser, changes):
                wanted.append(predict(self.denoiser, noisy[part], timesteps[part], conditioning))
        gates, learnt = self.coefficients(self.contents[0].adapter, self.styles[0].adapter)
        both = prompts[0].followed_by(prompts[1])
        with dense.dense_weights(self.denoiser, {name: self._merging(name, gates[name]) for name in self.ours}):
            merged = predict(self.denoiser, noisy, timesteps, both)
        return self.loss(merged.float(), torch.cat(wanted).float(), learnt)

    def _merging(self, name: str, pair: Coefficients) -> Any:
        def merged(weight: Tensor) -> Tensor:
            m_c, m_s = (gate.to(weight.dtype) for gate in pair)
            return torch.addcmul(torch.addcmul(weight, self.ours[name], m_c), self.theirs[name], m_s)

        return merged


class DenseZip(DenseMerging, PairMerging):
    """ZipLoRA."""


class DenseHypernet(DenseMerging, HypernetMerging):
    """The hypernetwork, its input rows dense too."""

    def coefficients(self, content: Adapter, style: Adapter) -> tuple[Gates, Sequence[Coefficients]]:
        """Eq. 1 by its definition."""
        pairs = ((name, update, self.theirs[name]) for name, update in self.ours.items())
        network = cast("Hypernetwork", self.hypernet)  # of columns, as the options say by default
        gates = {name: dense.column_weights(network, name, one, two) for name, one, two in pairs}
        return gates, [pair for name, pair in gates.items() if network.predicts(name)]


def run(quick: bool = False) -> str:
    """Measure and describe."""
    few = Setting(TOY, 8, 2) if quick else Setting(SHALLOW, 32, 3)
    parts = [
        section(
            "A step of training, on the CPU",
            f"{_reduced(few)} float32, same threads; one noisy latent of content and one of style a step, AdamW.",
            *_methods(few),
        )
    ]
    if torch.cuda.is_available():
        whole = Setting(shape=SDXL, latents=128, steps=ZIP_STEPS, device="cuda", dtype=torch.bfloat16)
        parts.append(_on_gpu(replace(whole, shape=TOY, latents=8, steps=3) if quick else whole))
    else:
        parts.append("Training on a GPU, at SDXL's full size: not measured, this machine has none.")
    return "\n\n".join(parts)


def _reduced(setting: Setting) -> str:
    shape, meta = setting.shape, new_unet(setting.shape, "meta")
    linears = len(new_adapter(meta, 1, 0).layers)
    parameters = sum(p.numel() for p in meta.parameters()) / 1e6
    return (
        f"A UNet of SDXL's layer kinds and widths ({', '.join(map(str, shape.channels))}, cross-attention "
        f"{shape.cross}) with random weights. Reduced are: transformer layers {shape.depths} instead of "
        f"{SDXL.depths} a level, {shape.repeats} residual layer(s) a block instead of {SDXL.repeats}, so {linears} "
        f"attention linears instead of 560 and {parameters:.0f} M parameters instead of 2567 M; latents of "
        f"{setting.latents} x {setting.latents} instead of 128 x 128. Small latents flatter us: what the dense way "
        "does more does not grow with the picture, what both do does. Two random LoRAs of rank "
        f"{shape.rank}."
    )


def _methods(setting: Setting) -> list[str]:
    return [
        _describe(task, {way: isolated(_measure, task, way == "dense", setting) for way in ("dense", "gated")}, setting)
        for task in ("hypernetwork", "ZipLoRA")
    ]


def _describe(task: Task, ways: dict[str, Measured], setting: Setting) -> str:
    them, us = ways["dense"], ways["gated"]
    rows = [
        (name, seconds(it.step), ratio(them.step, it.step), size(it.peak), ratio(them.peak, it.peak), f"{it.loss:.6g}")
        for name, it in (("dense merged weights", them), ("**ours**, gated branches", us))
    ]
    head = ["way", "a step", "faster", "peak memory", "less", "fidelity terms"]
    return "\n\n".join(
        [
            f"{task}: the same weights, batch and loss both ways. {_agreement(task, ways, setting)} Peak: above the "
            f"UNet and both LoRAs, with which {size(us.held)} are held.",
            table(head, rows),
        ]
    )


def _agreement(task: Task, ways: dict[str, Measured], setting: Setting) -> str:
    """The agreement of the ways, in words.

    Raises:
        AssertionError: too little, where both compute in float32.
    """
    them, us = ways["dense"], ways["gated"]
    of_loss, of_gradient = _apart(them.loss, us.loss), _apart(them.gradient, us.gradient)
    if setting.dtype == torch.float32 and max(of_loss, of_gradient) > AGREE:
        raise AssertionError(f"{task}: the ways disagree by {of_loss:.1e} in loss, {of_gradient:.1e} in gradient")
    return (
        f"Before the first step the fidelity terms of Eq. 3 differ by {of_loss:.0e} relatively and the norm of their "
        f"gradient by {of_gradient:.0e}."
    )


def _apart(one: float, other: float) -> float:
    return abs(one - other) / abs(one)


def _on_gpu(setting: Setting) -> str:
    """SDXL's full shape, and the paper's comparison of a pair's coefficients with 100 steps of ZipLoRA."""
    short = replace(setting, steps=min(10, setting.steps))
    zips = {way: isolated(_measure, "ZipLoRA", way == "dense", setting) for way in ("dense", "gated")}
    hypers = {way: isolated(_measure, "hypernetwork", way == "dense", short) for way in ("dense", "gated")}
    exact = replace(setting, latents=setting.latents // 2, steps=1, dtype=torch.float32)
    checked = {way: isolated(_measure, "ZipLoRA", way == "dense", exact) for way in ("dense", "gated")}
    cold, kept = isolated(_coefficients, setting.shape, setting.device)
    rows = [
        (f"ZipLoRA, {setting.steps} steps, dense", seconds(zips["dense"].total), size(zips["dense"].peak)),
        (f"ZipLoRA, {setting.steps} steps, gated", seconds(zips["gated"].total), size(zips["gated"].peak)),
        ("hypernetwork, from the factors", seconds(cold), "-"),
        ("hypernetwork, projections kept", seconds(kept), "-"),
    ]
    return section(
        "A step of training, on the GPU",
        f"SDXL's own shape with random weights in bfloat16 under autocast, latents of {setting.latents} x "
        f"{setting.latents}, no gradient checkpointing; one noisy latent of content and one of style a step, AdamW. "
        "bfloat16 rounds dense merged weights and gated branches differently, so that both ways compute the same is "
        f"checked in float32: ZipLoRA on the same UNet, latents of {exact.latents} x {exact.latents}. "
        f"{_agreement('ZipLoRA', checked, exact)}",
        _describe("hypernetwork", hypers, short),
        _describe("ZipLoRA", zips, setting),
        "Coefficients of a new pair, by optimising them and by predicting them. Peak as above:",
        table(["way", "time", "peak memory"], rows),
        f"Predicting is {ratio(zips['dense'].total, cold)} faster than dense ZipLoRA and "
        f"{ratio(zips['gated'].total, cold)} faster than gated; with projections kept "
        f"{ratio(zips['dense'].total, kept)} and {ratio(zips['gated'].total, kept)}. (The paper: 158 s against "
        "0.037 s, so 4000 x, on an RTX 4090, and 4 GB more.)",
    )


def _measure(task: Task, formed: bool, setting: Setting) -> Measured:
    """Train from the same seed; ``formed`` is the dense way."""
    torch.manual_seed(0)
    device, dtype = setting.device, setting.dtype
    unet = nn.Module.to(new_unet(setting.shape, device), dtype)
    sides = [_side(unet, setting, seed) for seed in (1, 2)]
    held = rest(device)
    started = time.perf_counter()
    objective = _objective(task, formed, unet, sides)
    if isinstance(objective, DenseMerging):
        objective.hold(dtype)
    wait(device)
    ready = time.perf_counter() - started
    loss, gradient = _probe(objective, setting)
    times = _train(objective, setting)
    return Measured(
        loss=loss,
        gradient=gradient,
        step=min(times),
        total=ready + sum(times),
        peak=peak(device) - held,
        held=held,
    )


def _objective(task: Task, formed: bool, unet: nn.Module, sides: list[PreparedConcept]) -> Merging:
    """The package's own objective or its dense twin, over sides with random latents and prompts."""
    pipeline: Any = SimpleNamespace(unet=unet, scheduler=DDPMScheduler())
    with patch(
        "lorarar.training.merging_loss.prepare_concepts", lambda _, concepts, side: concepts
    ):  # nothing to encode
        content, style = cast("list[Concept]", sides)
        objective: Merging
        if task == "ZipLoRA":
            objective = (DenseZip if formed else PairMerging)(pipeline, content, style, ZipOptions(), 0)
        else:
            maker = DenseHypernet if formed else HypernetMerging
            objective = maker(pipeline, [content], [style], HypernetOptions(), 0)
    return objective.to(next(unet.parameters()).device)


def _side(unet: Any, setting: Setting, seed: int) -> PreparedConcept:
    adapter = new_adapter(unet, setting.shape.rank, seed, setting.device)
    generator, latents = torch.Generator().manual_seed(seed), setting.latents

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    pixels = float(8 * latents)
    parts = (
        random(1, TOKENS, setting.shape.cross),
        random(1, POOLED),
        torch.tensor([[pixels, pixels, 0, 0] + [pixels] * 2]),
    )
    conditioning = Conditioning.of_sdxl(*(part.to(setting.device, setting.dtype) for part in parts))
    return PreparedConcept(adapter, random(4, 4, latents, latents), conditioning)


def _probe(objective: Merging, setting: Setting) -> tuple[float, float]:
    """Loss without the regulariser and its gradient's norm; a warm-up too."""
    whole = objective.loss
    objective.loss = replace(whole, penalty=NOTHING)
    loss = _backward(objective, setting, 0)
    objective.loss = whole
    weights = list(objective.trained().values())
    norm = torch.nn.utils.get_total_norm([p.grad for p in weights if p.grad is not None])
    for parameter in weights:
        parameter.grad = None
    return loss, float(norm)


def _train(objective: Merging, setting: Setting) -> list[float]:
    """Seconds of the steps."""
    weights = list(objective.trained().values())
    optimizer = torch.optim.AdamW(weights, lr=0.01)
    times = []
    for step in range(setting.steps):
        started = time.perf_counter()
        _backward(objective, setting, step)
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        wait(setting.device)
        times.append(time.perf_counter() - started)
    return times


def _backward(objective: Merging, setting: Setting, step: int) -> float:
    """The loss of a step's batch; its gradients are left on the parameters."""
    batch = objective.batch(torch.Generator().manual_seed(step))
    with torch.autocast(setting.device, setting.dtype, enabled=setting.dtype != torch.float32):
        loss = objective(*batch)
    loss.backward()
    return float(loss.detach())


def _coefficients(shape: Size, device: str) -> tuple[float, float]:
    """Seconds of one pair's coefficients, from the factors and from kept projections."""
    meta, network = new_unet(shape, "meta"), new_network(shape, device)
    content, style = (new_adapter(meta, shape.rank, seed, device) for seed in (1, 2))
    ours, theirs = network.projections(content, "content"), network.projections(style, "style")
    network(content, style)
    cold = fastest(lambda: network(content, style), device, 20)
    return cold, fastest(lambda: network.from_projections(content, style, ours, theirs), device, 20)
