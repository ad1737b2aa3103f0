"""A picture on its way from the process that drew it to the one that keeps it: as the bytes of its file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lorarar.families import Base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.noise import NoiseCell
from lorarar.generation.picture import Picture
from lorarar.generation.settings import DrawingSettings
from lorarar.pictures.images import own_png, png_of, write_picture


@dataclass(frozen=True)
class PictureParcel:
    """A drawn picture as a PNG, with what made it; where it was drawn is said by ``recorded`` alone."""

    png: bytes = field(repr=False)
    prompt: str
    seed: int
    settings: DrawingSettings
    lora: str
    seconds: float
    drawing: DrawingFacts
    noise: NoiseCell | None
    recorded: Mapping[str, object]  # what is known besides: the device by its name, the versions of libraries

    @classmethod
    def of(cls, picture: Picture) -> PictureParcel:
        """The parcel of a picture that was drawn here."""
        return cls(
            png=png_of(picture.image, picture.notes()),
            prompt=picture.prompt,
            seed=picture.seed,
            settings=picture.settings,
            lora=picture.lora,
            seconds=picture.seconds,
            drawing=picture.drawing,
            noise=picture.noise,
            recorded=picture.drawing.recorded(),
        )

    def written(self, file: Path, base: Base) -> Picture:
        """The picture once it is written to a file.

        Raises:
            ImageError: the file cannot be written.
        """
        return Picture(
            image=own_png(self.png),
            prompt=self.prompt,
            seed=self.seed,
            settings=self.settings,
            base=base,
            lora=self.lora,
            seconds=self.seconds,
            drawing=self.drawing,
            noise=self.noise,
            path=write_picture(self.png, file),
            sha256=hashlib.sha256(self.png).hexdigest(),
        )
