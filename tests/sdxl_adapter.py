"""A LoRA of every layer of a family, at its real sizes and rank 1."""

import torch

from lorarar.lora.adapter import Adapter, Factors

from .base_loras import table


def whole_adapter(name="sdxl", rank=1, dtype=torch.float32):
    """Every layer's factors are numbers of its own."""
    layers = {}
    for number, (layer, (rows, *rest)) in enumerate(table(name).items(), 1):
        down = torch.full((rank, *rest), 1.0 + number / 4096, dtype=dtype)
        up = torch.full((rows, rank, *[1] * (len(rest) - 1)), number / 2048, dtype=dtype)
        layers[layer] = Factors(down, up)
    return Adapter(layers, name)
