"""Pictures as raters see them: the pixels alone, as PNG bytes in one form for all.

Generators write prompt and method into a PNG's text and a method's name into the path; none of that is shown,
stored with a study or packed. A blind picture is identified by the digest of its bytes.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

from PIL import Image

from lorarar.pictures.images import read_image, read_size
from lorarar.util.files import sha256_of
from studies.errors import StudyError

REFERENCE_SIDE = 1024  # references may be photographs; no front end shows more pixels


def blind_picture(path: Path, sha256: str) -> bytes:
    """Return a generated picture as PNG bytes without any notes.

    Args:
        path: the picture's file.
        sha256: the digest that the file had when the picture was made.

    Raises:
        ImageError: the file cannot be read.
        StudyError: the file has another digest now.
    """
    image = read_image(path)
    if sha256_of(path) != sha256:
        raise StudyError(f"{path} has changed since it was made; run the grid again, which redraws it")
    return _bare(image)


def blind_reference(path: Path) -> bytes:
    """Return a reference as PNG bytes without any notes, at most ``REFERENCE_SIDE`` pixels a side.

    Raises:
        ImageError: the file cannot be read.
    """
    image = read_image(path)
    image.thumbnail((REFERENCE_SIDE, REFERENCE_SIDE), Image.Resampling.LANCZOS)
    return _bare(image)


def png_digest(png: bytes) -> str:
    """The SHA-256 of the PNG bytes; identifies the picture."""
    return hashlib.sha256(png).hexdigest()


def png_size(png: bytes) -> tuple[int, int]:
    """The width and height of a blind picture."""
    return read_size(png)


def _bare(image: Image.Image) -> bytes:
    """The pixels of an RGB picture and nothing else."""
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    buffer = BytesIO()
    bare.save(buffer, "PNG")
    return buffer.getvalue()
