"""Statistics of merging coefficients over a model's blocks and the parts of attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lorarar.lora.adapter import part_of
from lorarar.lora.axis import Axis
from lorarar.merging.coefficients import Coefficients, axis_of


@dataclass(frozen=True)
class Moments:
    """Mean, standard deviation and range of the coefficients of one side."""

    mean: float
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Tensor) -> Moments:
        """The moments of values (n,)."""
        return cls(
            mean=float(values.mean()),
            deviation=float(values.std(correction=0)),
            low=float(values.min()),
            high=float(values.max()),
        )


@dataclass(frozen=True)
class Spread:
    """m_c and m_s over all columns, or rank components, of the layers of one block and part."""

    block: str  # down_blocks.1, mid_block, up_blocks.0 …
    part: str
    layers: int
    count: tuple[int, int]  # of content's and of style's
    content: Moments
    style: Moments
    cosine: float | None  # of m_c and m_s, the mean over layers; of rank components, which are each side's own, none


def spreads(coefficients: Mapping[str, Coefficients]) -> list[Spread]:
    """The spread of the coefficients for each block and part, in the order of the network."""
    groups: dict[tuple[str, str], list[Coefficients]] = {}
    for layer, pair in coefficients.items():
        groups.setdefault((block_of(layer), part_of(layer)), []).append(pair)
    order = ("down", "mid", "up")
    ranked = sorted(
        groups,
        key=lambda key: (next((i for i, n in enumerate(order) if key[0].startswith(n)), 3), _natural(key[0]), key),
    )
    return [_spread(*key, groups[key], axis_of(coefficients)) for key in ranked]


def block_of(layer: str) -> str:
    """The block of a layer, like ``down_blocks.1``, ``mid_block`` or ``layers.3``; a text encoder is one block."""
    component, _, rest = layer.partition(".")
    if component.startswith("text_encoder"):
        return component
    first, _, more = rest.partition(".")
    number = more.partition(".")[0]
    return f"{first}.{number}" if number.isdecimal() else first


def _natural(block: str) -> list[tuple[str, int]]:
    """A key that sorts numbered blocks by their numbers."""
    name, _, number = block.partition(".")
    return [(name, int(number) if number.isdecimal() else -1)]


def _spread(block: str, part: str, pairs: list[Coefficients], axis: Axis) -> Spread:
    content, style = (torch.cat([pair[side].detach().float() for pair in pairs]) for side in (0, 1))
    return Spread(
        block=block,
        part=part,
        layers=len(pairs),
        count=(len(content), len(style)),
        content=Moments.of(content),
        style=Moments.of(style),
        cosine=_cosine(pairs) if axis == "column" else None,
    )


def _cosine(pairs: list[Coefficients]) -> float:
    return float(torch.stack([torch.cosine_similarity(c.float(), s.float(), dim=0) for c, s in pairs]).mean())
