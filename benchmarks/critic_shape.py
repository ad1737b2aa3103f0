"""The widths of LLaVA-Critic-7B, and of a toy of the same kind; loads no library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Widths of a critic of the LLaVA-OneVision kind."""

    width: int = 3584
    inner: int = 18944
    layers: int = 28
    heads: int = 28
    shared_heads: int = 4
    vocabulary: int = 152064
    tower_layers: int = 26  # of SigLIP so400m's 27, as llava_qwen cuts it
    crops: int = 6  # along a side of a grid, at most


CRITIC_7B = Shape()
TOY = Shape(width=64, inner=128, layers=2, heads=4, shared_heads=2, vocabulary=2048, tower_layers=1, crops=2)
