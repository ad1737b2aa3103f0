"""The formats of picture files that are read: by Pillow, and by what the extra ``heic`` brings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import BinaryIO

from lorarar.util.errors import ImageError

#: Pillow's names of the formats, the usual ones first: those behind them load all of its plugins when they are tried.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
READ = f"{', '.join(FORMATS)} or HEIC"  # in words

#: Endings of files, in lower case, with their formats.
ENDINGS: Mapping[str, str] = {
    ".png": "PNG",
    ".apng": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
}

HEIC_EXTRA = "pip install 'lorarar[heic]'"
_HEIC_PACKAGE = "pi_heif"
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


def is_readable(ending: str) -> bool:
    """Whether files of an ending are pictures that can be read here."""
    kind = ENDINGS.get(ending.lower())
    return kind is not None and (kind != "HEIF" or has_heic())


@cache
def has_heic() -> bool:
    """Whether the package that reads HEIC is installed."""
    return find_spec(_HEIC_PACKAGE) is not None


def formats_of(file: BinaryIO) -> tuple[str, ...]:
    """The formats as which an opened file may be read, which stands at its beginning before and after.

    Raises:
        ImageError: it is HEIC, and what reads that is not installed.
    """
    head = file.read(12)
    file.seek(0)
    if head[4:8] != b"ftyp" or head[8:] not in _HEIC_BRANDS:
        return FORMATS
    if not has_heic():
        raise ImageError(f"it is HEIC, which is read with: {HEIC_EXTRA}")
    _register_heic()
    return (*FORMATS, "HEIF")  # AVIF has these brands too


@cache
def _register_heic() -> None:
    from pi_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
