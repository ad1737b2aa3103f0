"""Blank pictures: on them a judge has nothing to see, and what it says is its bias."""

from __future__ import annotations

from pathlib import Path

TONES = {"white": 255, "grey": 128, "black": 0}


def blanks(size: tuple[int, int], folder: Path) -> list[Path]:
    """A blank picture of that size in each tone, written below ``folder`` where it is not there yet.

    Raises:
        ImageError: it cannot be written.
    """
    from PIL import Image

    from lorarar.pictures.images import write_png

    paths = []
    for name, tone in TONES.items():
        path = folder / f"{name}-{size[0]}x{size[1]}.png"
        if not path.is_file():
            write_png(Image.new("RGB", size, (tone, tone, tone)), path)
        paths.append(path)
    return paths
