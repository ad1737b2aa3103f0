"""Which families pictures are drawn with, and trained on; LoRAs of others are merged, converted and inspected."""

from __future__ import annotations

from lorarar.families import FAMILIES, Family
from lorarar.util.errors import BaseError

DENOISER = "unet"  # the one that drawing and training know how to run


def check_drawable(family: Family) -> None:
    """Refuse a family whose pictures are not drawn here, and on which nothing is trained.

    Raises:
        BaseError: the message says which are accepted.
    """
    if family.modules.denoiser != DENOISER:
        accepted = ", ".join(one.name for one in FAMILIES.values() if one.modules.denoiser == DENOISER)
        raise BaseError(
            f"LoRAs for {family.title} are merged, converted and inspected here, but no pictures are drawn with it and "
            f"nothing is trained on it yet; accepted as a base for that are {accepted}, and others with their classes"
        )
