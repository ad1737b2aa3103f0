"""The true picture of a content in a style, where the base's family knows it: what a perfect merge would draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from lorarar.families import Base, family_of
from lorarar.pictures.concepts import Concept

if TYPE_CHECKING:
    from PIL.Image import Image

Truth = Callable[[Concept, Concept], "Image | None"]  # None where it is not known


def truth_of(base: Base) -> Truth | None:
    """The true pictures that a base's family knows: by LoRAs' files where it can tell by these, else by names.

    Returns:
        None where it knows none.

    Raises:
        BaseError: the family's ground truth cannot be loaded.
    """
    family = family_of(base)
    if "ground_truth" not in family.parts:
        return None
    truth = family.find("ground_truth")
    by_files = getattr(truth, "true_picture_of_files", None)

    def picture(content: Concept, style: Concept) -> Image | None:
        with family.guarded("ground_truth"):
            if by_files:
                return cast("Image | None", by_files(content.path, style.path))
            return cast("Image | None", truth.true_picture_of(content.name, style.name))

    return picture
