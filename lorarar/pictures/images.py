"""Pictures from and to files: untrusted on the way in, atomic on the way out."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from lorarar.pictures.showing import FIRST_SIDEWAYS, as_shown, is_plain, orientation
from lorarar.util.errors import ImageError
from lorarar.util.files import missing, replacing, sha256_of

MAX_PIXELS = 64_000_000  # 8000 x 8000: above any picture this project makes, below what fills a memory
FORMATS = ("PNG", "JPEG", "WEBP")


def read_image(path: str | Path) -> Image.Image:
    """Read a picture as RGB, as viewers show it: turned as its EXIF tag says, over white, 16-bit greys scaled.

    Raises:
        ImageError: missing, broken, of another format than PNG, JPEG or WebP, or larger than ``MAX_PIXELS``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"{path} has {image.width} x {image.height} pixels; at most {MAX_PIXELS} are read")
                return as_shown(image)
    except FileNotFoundError:
        raise ImageError(missing(Path(path))) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageError(f"{path} is too large; at most {MAX_PIXELS} pixels are read") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"{path} is not a sound {', '.join(FORMATS)} picture: {error}") from None


def read_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture as it is shown, by its header alone; 0 where it is no sound one."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size[::-1] if orientation(image) >= FIRST_SIDEWAYS else image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
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
        with Image.open(path, formats=FORMATS) as image:
            return is_plain(image)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return True  # which reading it will complain of


def find_images(folder: str | Path) -> list[Path]:
    """Find the pictures of a folder, sorted by name, without hidden files; a file stands for itself.

    Raises:
        ImageError: there are none.
    """
    folder = Path(folder)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ImageError(missing(folder))
    endings = (".png", ".jpg", ".jpeg", ".webp")
    files = sorted(path for path in folder.glob("[!.]*") if path.suffix.lower() in endings)
    if not files:
        raise ImageError(
            f"{folder} holds no pictures; accepted are files ending in {', '.join(endings)}, not in sub-folders"
        )
    return files


def write_png(image: Image.Image, path: str | Path, text: Mapping[str, str] | None = None) -> Path:
    """Write a PNG that appears whole or not at all, with text chunks for what made it.

    Raises:
        ImageError: the file cannot be written.
    """
    path = Path(path)
    notes = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        notes.add_itxt(key, value)
    try:
        with replacing(path) as partial:
            image.save(partial, "PNG", pnginfo=notes)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {error.strerror or error}") from None
    return path
