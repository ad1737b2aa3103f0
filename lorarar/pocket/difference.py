"""How far a picture is from another: a crude measure that nothing was trained on."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """Mean squared difference of slightly blurred pixels, of 255 squared."""
    return float(np.mean((_soft(one) - _soft(other)) ** 2))


def _soft(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(picture.convert("RGB").filter(ImageFilter.GaussianBlur(1.5)), np.float64)
