"""Colour profiles: the colours of a picture's file as sRGB, in which everything here sees pictures.

Invariant: a profile that is sRGB under whatever name, one that cannot be read, and one of other channels than the
pixels' change nothing, to the bit.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

LARGEST = 16 * 2**20  # bytes of a profile: those of printing have a few million
SAME = 3  # levels of 255: how far apart programs' own versions of sRGB are
_CHANNELS: Mapping[str, str] = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}  # of modes, as profiles name them


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """A picture of mode RGB, L or CMYK as RGB, its colours those that its profile says; empty is no profile."""
    transform = _transform(profile, image.mode)
    if transform is None:
        return image.convert("RGB")
    from PIL import ImageCms

    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # None is of transforms in place
    return converted


def changes_colours(profile: bytes, mode: str) -> bool:
    """Whether a profile makes other colours of pixels of a mode than plain conversion does."""
    return _transform(profile, mode) is not None


def _transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """What brings pixels of a mode to sRGB; None of no profile, of one that is too large, and as ``_to_srgb``."""
    return _to_srgb(profile, mode) if 0 < len(profile) <= LARGEST else None


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """What brings pixels of a mode to sRGB by a profile; None where they are to stay as they are."""
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _CHANNELS.get(mode):
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        return transform if _is_visible(transform, mode) else None
    except Exception:  # of bytes that anybody may have written: whatever the library trips over
        return None


def _is_visible(transform: ImageCmsTransform, mode: str) -> bool:
    """Whether a transform moves any colour by more than versions of sRGB are apart."""
    import numpy as np
    from PIL import ImageCms

    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    channels = len(Image.new(mode, (1, 1)).getbands())
    grid = np.stack(np.meshgrid(*[levels] * channels), axis=-1).reshape(-1, channels)
    colours = Image.frombytes(mode, (len(grid), 1), grid.tobytes())
    converted = ImageCms.applyTransform(colours, transform)
    assert converted is not None
    moved = np.asarray(converted, np.int16) - np.asarray(colours.convert("RGB"), np.int16)
    return bool(np.abs(moved).max() > SAME)
