"""Pictures from and to files: untrusted on the way in, atomic on the way out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from lorarar.util.errors import ImageError
from lorarar.util.files import missing, replacing

MAX_PIXELS = 64_000_000  # 8000 x 8000: above any picture this project makes, below what fills a memory
FORMATS = ("PNG", "JPEG", "WEBP")


def read_image(path: str | Path) -> Image.Image:
    """Read a picture as RGB, fully decoded.

    Raises:
        ImageError: missing, broken, of another format than PNG, JPEG or WebP, or larger than ``MAX_PIXELS``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"{path} has {image.width} x {image.height} pixels; at most {MAX_PIXELS} are read")
                return image.convert("RGB")
    except FileNotFoundError:
        raise ImageError(missing(Path(path))) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageError(f"{path} is too large; at most {MAX_PIXELS} pixels are read") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"{path} is not a sound {', '.join(FORMATS)} picture: {error}") from None


def read_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture by its header alone; 0 where it is no sound one."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return 0, 0


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
        raise ImageError(f"{folder} holds no pictures; accepted are files ending in {', '.join(endings)}")
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
