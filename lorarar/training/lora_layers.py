"""The LoRA layers that are trained on a denoiser, their weights by name, and the LoRA that these are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from peft import LoraConfig
from torch import Tensor, nn

from lorarar.generation.denoisers.table import kind_of
from lorarar.lora.adapter import Adapter, Factors
from lorarar.training.checks import check_rank
from lorarar.training.options import LoraOptions


def layers_to_train(denoiser: Any, options: LoraOptions) -> list[str]:
    """The ends of the names of the layers that a LoRA of these options changes.

    Raises:
        TrainingError: none of them can have this rank.
    """
    targets = kind_of(denoiser).targets(denoiser, options.feed_forward)
    check_rank(denoiser, targets, options.rank)
    return targets


def add_lora_layers(denoiser: Any, targets: list[str], options: LoraOptions) -> None:
    """Freeze the denoiser, and put LoRA layers in single precision on it; whatever fails leaves none there."""
    denoiser.requires_grad_(False)
    torch.manual_seed(options.seed)
    config = LoraConfig(r=options.rank, lora_alpha=options.rank, init_lora_weights="gaussian", target_modules=targets)
    try:
        denoiser.add_adapter(config)
        for parameter in denoiser.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    except BaseException:
        denoiser.unload_lora()
        raise


def lora_weights(denoiser: Any) -> dict[str, nn.Parameter]:
    """The parameters of the LoRA layers on a denoiser, by names that begin as their layers' do."""
    component = kind_of(denoiser).component
    weights = denoiser.named_parameters()
    return {f"{component}.{name}": weight for name, weight in weights if weight.requires_grad}


def untrained_weights(denoiser: Any, options: LoraOptions) -> dict[str, Tensor]:
    """What these parameters are before the first step; the denoiser has no LoRA layers afterwards.

    Raises:
        TrainingError: no layer can have this rank.
    """
    add_lora_layers(denoiser, layers_to_train(denoiser, options), options)
    try:
        return {name: weight.detach().clone() for name, weight in lora_weights(denoiser).items()}
    finally:
        denoiser.unload_lora()


def lora_of(weights: Mapping[str, Tensor]) -> Adapter:
    """PEFT's parameters (``unet.….lora_A.default.weight``) as factors; alpha equals the rank, so the scale is 1."""
    layers = {}
    for name, down in weights.items():
        if ".lora_A." in name:
            layers[name.split(".lora_A.")[0]] = Factors(down, weights[name.replace(".lora_A.", ".lora_B.")])
    return Adapter(layers)


def kept_lora(weights: Mapping[str, Tensor]) -> Adapter:
    """The same on the CPU and without gradients, as it is written."""
    return lora_of({name: weight.detach().cpu() for name, weight in weights.items()})
