"""SDXL's shapes with random weights: the UNet, and LoRAs on all its attention linears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from lorarar.lora.adapter import ATTENTION, Adapter, Factors, part_of
from lorarar.merging.hypernet import Hypernetwork

POOLED = 1280  # width of SDXL's pooled text embedding


@dataclass(frozen=True)
class Size:
    """A UNet of SDXL's layer kinds, and the rank of the LoRAs for it."""

    channels: tuple[int, int, int] = (320, 640, 1280)
    depths: tuple[int, int, int] = (1, 2, 10)  # transformer layers of each attention, by level
    repeats: int = 2  # residual layers a block
    cross: int = 2048  # width of the text embeddings
    head: int = 64
    rank: int = 64


SDXL = Size()
SHALLOW = Size(depths=(1, 1, 2), repeats=1)
TOY = Size(channels=(32, 64, 128), depths=(1, 1, 1), repeats=1, cross=96, head=32, rank=4)


def new_unet(size: Size, device: str = "cpu") -> Any:
    """The UNet, randomly initialised; on device ``meta`` it has shapes alone."""
    with torch.device(device):
        unet: Any = UNet2DConditionModel(
            sample_size=128,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=size.channels,
            layers_per_block=size.repeats,
            transformer_layers_per_block=size.depths,
            attention_head_dim=tuple(width // size.head for width in size.channels),
            cross_attention_dim=size.cross,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=6 * 256 + POOLED,
        )
    return unet.eval().requires_grad_(False)


def new_adapter(unet: nn.Module, rank: int, seed: int, device: str = "cpu") -> Adapter:
    """A LoRA in float32 with random factors on every attention linear of the UNet."""
    generator = torch.Generator(device).manual_seed(seed)
    layers = {}
    for name, module in unet.named_modules():
        if isinstance(module, nn.Linear) and part_of(name) in ATTENTION:
            rows, columns = module.weight.shape
            down = torch.randn((rank, columns), generator=generator, device=device) * 0.02
            up = torch.randn((rows, rank), generator=generator, device=device) * 0.02
            layers[f"unet.{name}"] = Factors(down, up)
    return Adapter(layers, f"random-{seed}")


def new_network(size: Size, device: str = "cpu") -> Hypernetwork:
    """A hypernetwork of the paper's form for the attention of that UNet, random."""
    torch.manual_seed(0)
    return Hypernetwork(size.channels[1:]).to(device).requires_grad_(False)
