"""A picture on its way from the process that drew it to the one that keeps it: as the bytes of its file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorarar.families import Base
from lorarar.generation.picture import Picture
from lorarar.pictures.images import png_of, write_picture


@dataclass(frozen=True)
class PictureParcel:
    """A drawn picture as a PNG, with what made it; where it was drawn is said by ``recorded`` alone."""

    png: bytes = field(repr=False)
    row: Mapping[str, Any]  # as whoever drew it would keep it, but for its file
    recorded: Mapping[str, object]  # what is known besides: the device by its name, the versions of libraries

    @classmethod
    def of(cls, picture: Picture) -> PictureParcel:
        """The parcel of a picture that was drawn here."""
        return cls(png_of(picture.image, picture.notes()), picture.row(), picture.drawing.recorded())

    def written(self, file: Path, base: Base) -> dict[str, Any]:
        """The picture's row once its bytes are in a file, as they came: nothing is unpacked to learn what is said.

        Raises:
            ImageError: the file cannot be written.
        """
        place = {"path": str(write_picture(self.png, file)), "sha256": hashlib.sha256(self.png).hexdigest()}
        return {**self.row, **place, "base": base.name, "base_revision": base.revision}
