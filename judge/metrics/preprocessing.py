"""What a backbone is shown: a picture's shorter side resized, its centre cut out, its values normalised.

The same few numbers describe CLIP's and DINO's; they are recorded with every score. An odd remainder of the
cut goes to the right and below, as in transformers (torchvision rounds it, a pixel apart at most).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Colour = tuple[float, float, float]

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Colour = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """Resize, centre crop, mean and deviation of values in 0..1."""

    resize: int  # pixels of the shorter side
    crop: int  # pixels a side
    mean: Colour
    deviation: Colour
    filter: str = "bicubic"  # of the resize, as Pillow names it

    def __post_init__(self) -> None:
        if not 0 < self.crop <= self.resize:
            raise ValueError(f"a crop of {self.crop} pixels does not fit into {self.resize}")

    def __call__(self, image: Image.Image) -> NDArray[np.float32]:
        """An RGB picture as (3, crop, crop)."""
        short = min(image.size)
        width, height = (int(self.resize * side / short) for side in image.size)
        left, top = (width - self.crop) // 2, (height - self.crop) // 2
        resized = image.resize((width, height), Image.Resampling[self.filter.upper()])
        pixels = np.asarray(resized.crop((left, top, left + self.crop, top + self.crop)), np.float32) / 255
        mean, deviation = np.array(self.mean, np.float32), np.array(self.deviation, np.float32)
        return np.ascontiguousarray(((pixels - mean) / deviation).transpose(2, 0, 1))


def imagenet(side: int) -> Preprocessing:
    """DreamBooth's for DINO, which is not what the published preprocessor says: 256, then 224, or in proportion."""
    return Preprocessing(round(side * 256 / 224), side, IMAGENET_MEAN, IMAGENET_DEVIATION)
