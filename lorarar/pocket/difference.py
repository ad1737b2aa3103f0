"""The distance of two pictures: a crude measure that nothing was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]  # (height, width, 3)


def mean_squared_difference(one: Image.Image, other: Image.Image) -> float:
    """Mean squared difference of two slightly blurred pictures' pixels, on a scale of 0 to 255 squared."""
    return squared_difference(blurred(one), blurred(other))


def squared_difference(one: Pixels, other: Pixels) -> float:
    """Mean squared difference of pixels that are ``blurred`` already."""
    return float(np.mean((one.astype(np.float64) - other) ** 2))


def blurred(picture: Image.Image) -> Pixels:
    """A picture's pixels, slightly blurred, so that a line a pixel aside is no other line."""
    return np.asarray(picture.convert("RGB").filter(ImageFilter.GaussianBlur(1.5)))
