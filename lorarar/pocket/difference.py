"""The distance of two pictures: a crude measure that nothing was trained on."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter


def mean_squared_difference(one: Image.Image, other: Image.Image) -> float:
    """Mean squared difference of two slightly blurred pictures' pixels, on a scale of 0 to 255 squared."""
    return float(np.mean((_blurred(one) - _blurred(other)) ** 2))


def _blurred(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(picture.convert("RGB").filter(ImageFilter.GaussianBlur(1.5)), np.float64)
