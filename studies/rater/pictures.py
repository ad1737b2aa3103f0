"""Pictures as raters see them: the pixels alone, in one form for all.

Generators write prompt and method into a PNG's text and a method's name into the path; none of that is shown,
stored with a study or packed. A picture is known by the digest of what is shown.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

from PIL import Image

from lorarar.pictures.images import read_image
from lorarar.util.files import sha256_of
from studies.errors import StudyError

REFERENCE_SIDE = 1024  # references may be photographs; more pixels than that no face shows


def shown(path: Path, sha256: str) -> bytes:
    """A generated picture as PNG bytes without any notes.

    Raises:
        ImageError: it cannot be read.
        StudyError: it is not the one of that digest any more.
    """
    image = read_image(path)
    if sha256_of(path) != sha256:
        raise StudyError(f"{path} has changed since it was made; run the grid again, which redraws it")
    return _bare(image)


def shown_reference(path: Path) -> bytes:
    """A reference as PNG bytes without any notes, at most ``REFERENCE_SIDE`` pixels a side.

    Raises:
        ImageError: it cannot be read.
    """
    image = read_image(path)
    image.thumbnail((REFERENCE_SIDE, REFERENCE_SIDE), Image.Resampling.LANCZOS)
    return _bare(image)


def digest_of(png: bytes) -> str:
    """By which a shown picture is known."""
    return hashlib.sha256(png).hexdigest()


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of what ``shown`` made."""
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        return image.size


def _bare(image: Image.Image) -> bytes:
    """The pixels of an RGB picture and nothing else."""
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    buffer = BytesIO()
    bare.save(buffer, "PNG")
    return buffer.getvalue()
