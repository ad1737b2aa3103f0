"""What is done to a picture before a backbone sees it: a few numbers, which are recorded with every score.

Each way is a frozen dataclass, whose fields are the record. Nothing here needs torchvision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Colour = tuple[float, float, float]

LONGEST = 16  # times as long as it is wide a picture may be before its ends are left out

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Colour = (0.229, 0.224, 0.225)
CLIP_MEAN: Colour = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION: Colour = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Preprocessing:
    """Resize, centre crop, mean and deviation of values in 0..1.

    An odd remainder of the cut goes to the right and below, as in transformers (torchvision rounds it, a pixel apart
    at most).
    """

    resize: int  # pixels of the shorter side
    crop: int  # pixels a side
    mean: Colour
    deviation: Colour
    filter: str = "bicubic"  # of the resize, as Pillow names it

    def __post_init__(self) -> None:
        if not 0 < self.crop <= self.resize:
            raise ValueError(f"a crop of {self.crop} pixels does not fit into {self.resize}")

    def __call__(self, image: Image.Image) -> NDArray[np.float32]:
        """The pixels (3, crop, crop) of an RGB picture."""
        image = _without_ends(image)
        short = min(image.size)
        width, height = (int(self.resize * side / short) for side in image.size)
        left, top = (width - self.crop) // 2, (height - self.crop) // 2
        resized = image.resize((width, height), Image.Resampling[self.filter.upper()])
        return _normalised(resized.crop((left, top, left + self.crop, top + self.crop)), self.mean, self.deviation)


@dataclass(frozen=True)
class Stretch:
    """A picture brought to one size whatever its proportions, as SigLIP sees it; nothing is cut off."""

    height: int  # pixels
    width: int
    mean: Colour
    deviation: Colour
    filter: str = "bicubic"  # of the resize, as Pillow names it

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"no picture is {self.width} x {self.height} pixels large")

    def __call__(self, image: Image.Image) -> NDArray[np.float32]:
        """The pixels (3, height, width) of an RGB picture."""
        resized = image.resize((self.width, self.height), Image.Resampling[self.filter.upper()])
        return _normalised(resized, self.mean, self.deviation)


@dataclass(frozen=True)
class Patches:
    """A picture in patches that keep its proportions, at most so many, as SigLIP 2 in its NaFlex form sees it."""

    most: int  # patches of a picture
    side: int  # pixels of a patch
    mean: Colour
    deviation: Colour
    filter: str = "bilinear"  # of the resize, as Pillow names it

    def __call__(self, images: Sequence[Image.Image]) -> dict[str, Any]:
        """What the model takes of RGB pictures: patches (N, most, 3 side²), which of them count, and their grids."""
        from transformers import Siglip2ImageProcessorPil

        processor = Siglip2ImageProcessorPil(
            max_num_patches=self.most,
            patch_size=self.side,
            image_mean=list(self.mean),
            image_std=list(self.deviation),
            resample=Image.Resampling[self.filter.upper()],
        )
        return dict(processor(images=[_without_ends(image) for image in images], return_tensors="pt"))


def _normalised(image: Image.Image, mean: Colour, deviation: Colour) -> NDArray[np.float32]:
    """The values (3, H, W) of an RGB picture, from 0..1 to that mean and deviation."""
    pixels = np.asarray(image, np.float32) / 255
    scaled = (pixels - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _without_ends(image: Image.Image) -> Image.Image:
    """A picture whose longer side is at most ``LONGEST`` times the shorter one; of a longer one both ends are left out.

    Only its middle is cut out in the end, and brought to size whole it would fill a memory.
    """
    most = LONGEST * min(image.size)
    left, top = (max(0, (side - most) // 2) for side in image.size)
    return image.crop((left, top, image.width - left, image.height - top)) if left or top else image


def imagenet(side: int) -> Preprocessing:
    """DreamBooth's preprocessing for DINO, not the published preprocessor's: 256, then 224, or in proportion."""
    return Preprocessing(round(side * 256 / 224), side, IMAGENET_MEAN, IMAGENET_DEVIATION)
