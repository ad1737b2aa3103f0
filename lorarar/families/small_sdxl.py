"""SDXL with fewer layers, distilled from it: the same text encoders and VAE, and a smaller UNet.

The UNets are given as differences from SDXL's. Their numbers of parameters are those that were published: 1.3 thousand
million of SSD-1B, 782 million of KOALA-700m, which a test counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lorarar.families.architecture import Architecture, Blueprint, Component
from lorarar.families.family import Base
from lorarar.families.layer_table import TABLES
from lorarar.families.sdxl import COMPONENTS, LISTING, SDXL, TOKENIZERS, UNET


def ssd_1b() -> Base:
    """Segmind's SSD-1B, on the hub."""
    return Base("ssd-1b", "segmind/SSD-1B")


def koala_700m() -> Base:
    """KOALA-700m, the second base of the paper's Table 3, on the hub."""
    return Base("koala-700m", "etri-vilab/koala-700m-llava-cap")


def components(**unet: Any) -> Mapping[str, Component]:
    """SDXL's components, with a UNet that differs in these places."""
    return {**COMPONENTS, "unet": replace(COMPONENTS["unet"], config={**UNET, **unet})}


SSD_1B = replace(
    SDXL,
    name="ssd-1b",
    base=ssd_1b,
    architecture=Architecture(
        title="SSD-1B",
        layers=TABLES / "ssd-1b.txt",
        blueprint=Blueprint(channels=4, width=320, context=2048, down=(2, 2, 4, 4), middle=(), up=(4, 4, 10, 2, 1, 1)),
        components=components(
            transformer_layers_per_block=[1, [2, 2], [4, 4]],
            reverse_transformer_layers_per_block=[[4, 4, 10], [2, 1, 1], 1],
            mid_block_type="UNetMidBlock2D",
        ),
        tokenizers=TOKENIZERS,
        gigabytes=4.5,
        listing=LISTING,
        variant="fp16",
    ),
)
KOALA_700M = replace(
    SDXL,
    name="koala-700m",
    base=koala_700m,
    architecture=Architecture(
        title="KOALA-700m",
        layers=TABLES / "koala-700m.txt",
        blueprint=Blueprint(channels=4, width=320, context=2048, down=(2, 5), middle=(), up=(5, 5, 2, 2)),
        components=components(layers_per_block=1, transformer_layers_per_block=[1, 2, 5], mid_block_type=None),
        tokenizers=TOKENIZERS,
        gigabytes=3.4,
    ),
)
