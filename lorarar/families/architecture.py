"""Architectures: how the models of a base are built, and how one is recognised by its weights' names and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorarar.families.listing import Listing
from lorarar.families.module_names import ModuleNames

Shapes = Mapping[str, tuple[int, ...]]

ORIGINAL_DENOISER = "model.diffusion_model."  # before its weights' names in a checkpoint file
_SIDES = {
    "down": re.compile(r"(?:input_blocks|down_blocks)\."),
    "middle": re.compile(r"(?:middle_block|mid_block)\."),
    "up": re.compile(r"(?:output_blocks|up_blocks)\."),
}
_ATTENDING = re.compile(r"(.+)\.transformer_blocks\.(\d+)\.attn2\.to_k\.weight")


@dataclass(frozen=True)
class Blueprint:
    """How a UNet is built: what tells the architectures apart.

    ``down``, ``middle`` and ``up`` are the numbers of transformer blocks in its attentions, in order.
    """

    channels: int  # of the latents that enter it
    width: int  # channels of its first level
    context: int  # width of the text that it attends to
    down: tuple[int, ...]
    middle: tuple[int, ...]
    up: tuple[int, ...]


@dataclass(frozen=True)
class Component:
    """A model or scheduler of a pipeline: its class, ``"library:Class"``, and what it is configured with."""

    kind: str
    config: Mapping[str, Any]
    original: tuple[str, ...] = ()  # before its weights' names in a checkpoint file, one of these


@dataclass(frozen=True)
class Architecture:
    """How the models of a family are built: those that have a blueprint can be loaded from one checkpoint file.

    Invariant: the UNet that ``components`` describes is built as ``blueprint`` says.
    """

    title: str  # as people write it
    components: Mapping[str, Component]  # of the pipeline, by name, without the tokenizers
    gigabytes: float  # of all weights in half precision
    blueprint: Blueprint | None = None  # of its UNet; None: its denoiser is none
    tokenizers: Mapping[str, str] = field(default_factory=dict)  # CLIP's, with the token that fills a prompt up
    listing: Listing | None = None  # how other programs call it in the headers of LoRAs
    variant: str = ""  # under which the hub has the weights of the family's base in half precision; empty: under none
    layers: Path | None = None  # the table of its layers, for ``lorarar.families.layer_table``
    names: ModuleNames | None = None  # of its transformer's modules, where first authors and diffusers have such


def blueprint_of(shapes: Shapes) -> Blueprint | None:
    """The blueprint of the UNet among weights, named as in a checkpoint file or as diffusers names a UNet's.

    Returns:
        None where there is no UNet that attends to text.
    """
    original = {
        name.removeprefix(ORIGINAL_DENOISER): shape
        for name, shape in shapes.items()
        if name.startswith(ORIGINAL_DENOISER)
    }
    weights = original or shapes
    entrance = weights.get("input_blocks.0.0.weight") or weights.get("conv_in.weight")
    depths: dict[str, int] = {}
    context = 0
    for name, shape in weights.items():
        if (attending := _ATTENDING.fullmatch(name)) and len(shape) == 2:
            place, number = attending.groups()
            depths[place] = max(depths.get(place, 0), int(number) + 1)
            context = shape[1]
    if entrance is None or len(entrance) != 4 or not depths:
        return None
    places = sorted(depths, key=_numbers)
    sides = {side: tuple(depths[place] for place in places if pattern.match(place)) for side, pattern in _SIDES.items()}
    return Blueprint(channels=entrance[1], width=entrance[0], context=context, **sides)


def _numbers(place: str) -> list[int]:
    """The numbers in a name, by which blocks are in order."""
    return [int(number) for number in re.findall(r"\d+", place)]
