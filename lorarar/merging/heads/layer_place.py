"""Where in a network a layer is, in words that all bases have in common: stage, depth, kind of attention, part."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import torch
from torch import Tensor

from lorarar.lora.adapter import Part, part_of

Stage = Literal["down", "mid", "up", "trunk"]  # trunk: of a network that goes neither down nor up, such as a DiT
Kind = Literal["self", "cross", "feed-forward", "other"]

_KINDS: dict[str, Kind] = {
    ".attn1.": "self",
    ".attn.": "self",
    ".attention.": "self",
    ".attn2.": "cross",
    **dict.fromkeys((".ff.", ".ff_context.", ".img_mlp.", ".txt_mlp.", ".feed_forward."), "feed-forward"),
}
_STAGE = re.compile(r"\.(down|mid|up)_blocks?\b")
_BLOCK = re.compile(r"\.(?:attn\w*|ff\w*)\..*$")  # what follows the name of a transformer block
_BLOCK_OF_TRUNK = re.compile(r"^\w+\.\w+\.\d+(?=\.)")
_BLOCK_OF_UNET = re.compile(r"\.((?:down|up)_blocks\.\d+|mid_block)\b")
#: Which stacks of blocks run before and after the others of a trunk, which are 0.
_STACKS = {"noise_refiner": -2, "context_refiner": -1, "single_transformer_blocks": 1}
WAVES = 3  # cosines of the depth
QUARTERS = 4  # of a trunk, which are its groups


@dataclass(frozen=True)
class LayerPlace:
    """The place of one layer among those of two LoRAs."""

    stage: Stage
    depth: float  # 0 to 1, of its transformer block among those of its stage
    kind: Kind
    part: Part
    group: str  # its block group, with attention or feed-forward

    @property
    def numbers(self) -> list[float]:
        """The place as a network sees it."""
        chosen = (self.stage, Stage), (self.kind, Kind), (self.part, Part)
        one_hot = [float(value == name) for value, names in chosen for name in get_args(names)]
        return [*one_hot, self.depth, *(math.cos(math.pi * wave * self.depth) for wave in range(1, WAVES + 1))]


WIDTH = sum(len(get_args(names)) for names in (Stage, Kind, Part)) + 1 + WAVES  # of the numbers


def places_of(layers: Iterable[str]) -> list[LayerPlace]:
    """The places of layers, in their order; depths are counted over these layers alone."""
    names = [*layers]
    depths = _depths(names)
    return [_place(name, depths[_block_of(name)]) for name in names]


def encoded(places: Sequence[LayerPlace]) -> Tensor:
    """Places as a network sees them, (L, ``WIDTH``)."""
    return torch.tensor([place.numbers for place in places])


def _place(layer: str, depth: float) -> LayerPlace:
    stage, part = _stage_of(layer), part_of(layer)
    kind: Kind = next((kind for mark, kind in _KINDS.items() if mark in layer), "other")
    unet = _BLOCK_OF_UNET.search(layer)
    block = unet[1] if unet else f"quarter {min(int(QUARTERS * depth), QUARTERS - 1)}"
    return LayerPlace(stage, depth, kind, part, f"{block} {'feed-forward' if part == 'feed-forward' else 'attention'}")


def _stage_of(layer: str) -> Stage:
    stage = _STAGE.search(layer)
    return cast("Stage", stage[1]) if stage else "trunk"


def _block_of(layer: str) -> str:
    """The name of a layer's transformer block."""
    if _stage_of(layer) == "trunk" and (block := _BLOCK_OF_TRUNK.search(layer)):
        return block[0]
    return _BLOCK.sub("", layer)


def _depths(layers: Sequence[str]) -> dict[str, float]:
    """The depth of every transformer block among those of its stage."""
    stages: dict[Stage, set[str]] = {}
    for layer in layers:
        stages.setdefault(_stage_of(layer), set()).add(_block_of(layer))
    return {
        block: (place + 0.5) / len(blocks)
        for blocks in stages.values()
        for place, block in enumerate(sorted(blocks, key=_natural))
    }


def _natural(block: str) -> list[tuple[int, int, str]]:
    """A key that sorts names by their numbers, and stacks of blocks as they run."""
    return [(int(word), 0, "") if word.isdecimal() else (-1, _STACKS.get(word, 0), word) for word in block.split(".")]
