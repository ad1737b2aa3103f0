"""What a family's pictures are generated with where nobody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from lorarar.util.dtype import Dtype


@dataclass(frozen=True)
class DrawingDefaults:
    """What a family's pictures are drawn with; without values, those of the paper's, which are SDXL's."""

    steps: int = 50  # of the sampler
    guidance: float = 5.0  # classifier-free; 1 and below is none
    side: int = 1024  # pixels that the family was trained for; a base that says its own is generated with at that
    half: Dtype = "float16"  # half precision on a GPU, in which the family's models do not overflow
