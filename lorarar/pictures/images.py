"""Pictures from and to files: untrusted on the way in, atomic on the way out.

Every picture that anything here looks at comes through this door, so that judges, metrics, trainings, galleries,
studies and the app see the same.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import PIL
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from lorarar.pictures.formats import READ, formats_of
from lorarar.pictures.png_notes import bare_png
from lorarar.pictures.showing import as_shown, is_plain, size_as_shown
from lorarar.util.errors import ImageError, reason
from lorarar.util.files import missing, open_regular, replacing, sha256_of

READING = 1  # raised whenever something else than before is shown of any file
READER = f"{READING}, Pillow {PIL.__version__}"  # what decides which pixels are shown of a file

MAX_PIXELS = 64_000_000  # 8000 x 8000: above any picture this project makes, below what fills a memory
T = TypeVar("T")
Source = str | Path | bytes  # a file, or what one holds

_TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)  # raised before anything is decoded


def read_image(source: Source) -> Image.Image:
    """Read a picture as RGB, as viewers show it: turned as its file says, over white, in sRGB of eight bits.

    Raises:
        ImageError: missing, no regular file, broken, of a format that is not read, or larger than ``MAX_PIXELS``.
    """
    return _read(source, as_shown)


def read_layer(source: Source) -> Image.Image:
    """Read a picture as RGBA as it stands in its file, for whoever lays it over a ground of its own.

    Raises:
        ImageError: as of ``read_image``.
    """
    return _read(source, lambda image: image.convert("RGBA"))


def read_size(source: Source) -> tuple[int, int]:
    """Width and height of a picture as it is shown, by its header alone; 0 where it is no sound one."""
    try:
        return _read(source, size_as_shown)
    except ImageError:
        return 0, 0


def digest_as_read(path: Path) -> str:
    """The digest of a picture as it is read: its file's, and another where the file's pixels are not what is shown.

    So nothing that was made of such a picture as lorarar 0.1 read it, sideways or as a white square, counts for it.

    Raises:
        OSError: it is gone, or may not be read.
    """
    digest = sha256_of(path)
    return digest if _is_plain(path) else hashlib.sha256(f"{digest} as shown".encode()).hexdigest()


def _is_plain(path: Path) -> bool:
    try:
        return _read(path, is_plain)
    except ImageError:
        return True  # which reading it will complain of


def _read(source: Source, use: Callable[[Image.Image], T]) -> T:
    """What is read of a picture.

    Raises:
        ImageError: it is no sound one.
    """
    if isinstance(source, bytes):
        with _named("what should be a picture"):
            return _using(io.BytesIO(source), use)
    with _named(str(source)), open_regular(Path(source)) as file:
        return _using(file, use)


def _using(file: BinaryIO, use: Callable[[Image.Image], T]) -> T:
    """What is read of a picture; of a PNG that is refused for its notes, without them."""
    try:
        return _opened(file, use)
    except (ImageError, *_TOO_LARGE):
        raise
    except Exception:  # of bytes that anybody may have written: whatever the decoder trips over
        if (bare := bare_png(file)) is None:
            raise
        return _opened(bare, use)


def _opened(file: BinaryIO, use: Callable[[Image.Image], T]) -> T:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)  # of a file's notes
        with Image.open(file, formats=formats_of(file)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"it has {image.width} x {image.height} pixels; at most {MAX_PIXELS} are read")
            return use(image)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Turn what reading a picture raises into one line with its name."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{name} is not read: {error}") from None
    except FileNotFoundError:
        raise ImageError(missing(Path(name))) from None
    except _TOO_LARGE:
        raise ImageError(f"{name} is too large; at most {MAX_PIXELS} pixels are read") from None
    except MemoryError:
        raise ImageError(f"{name} is too large for this machine's memory") from None
    except Exception as error:  # of bytes that anybody may have written: whatever the decoder trips over
        raise ImageError(f"{name} {_fault(error)}") from None


def _fault(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be read: {error.strerror}"
    why = "its format is none of these" if isinstance(error, UnidentifiedImageError) else reason(error)
    return f"is not a sound {READ} picture: {why}"


def write_png(image: Image.Image, path: str | Path, text: Mapping[str, str] | None = None) -> Path:
    """Write a PNG that appears whole or not at all, with text chunks for what made it.

    Raises:
        ImageError: the file cannot be written.
    """
    return write_picture(png_of(image, text), path)


def png_of(image: Image.Image, text: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a PNG, with text chunks for what made it."""
    notes, data = PngImagePlugin.PngInfo(), io.BytesIO()
    for key, value in (text or {}).items():
        notes.add_itxt(key, value)
    image.save(data, "PNG", pnginfo=notes)
    return data.getvalue()


def write_picture(data: bytes, path: str | Path) -> Path:
    """Write the bytes of a picture, which appear whole or not at all.

    Raises:
        ImageError: the file cannot be written.
    """
    path = Path(path)
    try:
        with replacing(path) as partial:
            partial.write_bytes(data)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {error.strerror or error}") from None
    return path
