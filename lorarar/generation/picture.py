"""A generated picture: its pixels, what made it, and its file."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from lorarar import __version__
from lorarar.families import Base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.noise import NoiseCell, noise_facts
from lorarar.generation.picture_names import picture_stem
from lorarar.generation.settings import DrawingSettings
from lorarar.pictures.images import write_png
from lorarar.util.files import sha256_of
from lorarar.util.libraries import full_versions


@dataclass(frozen=True)
class Picture:
    """A generated picture and what made it."""

    image: Image.Image
    prompt: str
    seed: int
    settings: DrawingSettings
    base: Base
    lora: str  # what its LoRAs are known by, as ``attached_text`` has it; of one alone the sha256; empty without any
    seconds: float
    drawing: DrawingFacts
    noise: NoiseCell | None = None  # whose noise it has; None: its seed's
    path: Path | None = None
    sha256: str = ""

    def __repr__(self) -> str:
        """The prompt, the seed, the size and the file."""
        size = f"{self.image.width} x {self.image.height}"
        place = f", at {self.path}" if self.path else ""
        return f"Picture({self.prompt[:80]!r}, seed {self.seed}, {size} by {self.base.name}{place})"

    def _repr_png_(self) -> bytes:
        """The picture as a notebook shows it."""
        data = io.BytesIO()
        self.image.save(data, "PNG")
        return data.getvalue()

    def notes(self) -> dict[str, str]:
        """The text chunks of the PNG, which say what made the picture."""
        return {
            "prompt": self.prompt,
            "seed": str(self.seed),
            **{name: str(value) for name, value in self.settings.makings().items()},
            **({"noise": ",".join(self.noise)} if self.noise else {}),
            "base": self.base.name,
            "base_revision": self.base.revision or "",
            "base_digest": self.drawing.base,
            **{f"base_{name}": value for name, value in self.base.choices().items()},
            "dtype": self.drawing.dtype,
            "device": self.drawing.device_name or self.drawing.device,
            "lora_sha256": self.lora,
            "lorarar_version": __version__,
            **{f"{name}_version": version for name, version in full_versions().items()},
        }

    def makings(self) -> dict[str, object]:
        """All facts that decide the picture."""
        return {
            "prompt": self.prompt,
            "seed": self.seed,
            **self.settings.makings(),
            **noise_facts(self.noise),
            "lora": self.lora,
            "side": [self.image.width, self.image.height],
            **self.drawing.makings(),
        }

    def record(self) -> dict[str, object]:
        """All facts that decide the picture, and what is known of it besides."""
        return {**self.makings(), "recorded": self.drawing.recorded()}

    def row(self) -> dict[str, Any]:
        """The picture as a row of the store's table of images."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "prompt": self.prompt,
            "base": self.base.name,
            "base_revision": self.base.revision,
            "seed": self.seed,
            "steps": self.settings.steps,
            "guidance": self.settings.guidance,
            "width": self.image.width,
            "height": self.image.height,
            "seconds": self.seconds,
            "version": __version__,
        }


def save(picture: Picture, folder: Path, name: str | None = None) -> Picture:
    """Write a picture as ``folder/name.png``, by default named after what made it.

    Raises:
        ImageError: the file cannot be written.
    """
    stem = name or picture_stem(picture.prompt, picture.seed, picture.makings())
    path = write_png(picture.image, folder / f"{stem}.png", picture.notes())
    return replace(picture, path=path, sha256=sha256_of(path))
