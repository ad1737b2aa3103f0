"""Which families pictures are drawn with, and trained on; LoRAs of others are merged, converted and inspected."""

from __future__ import annotations

from lorarar.families import FAMILIES, Family
from lorarar.generation.denoisers.table import DENOISER_KINDS
from lorarar.util.errors import BaseError


def check_drawable(family: Family) -> None:
    """Refuse a family whose denoiser has no row, before anything of it is loaded.

    Raises:
        BaseError: the message says which are accepted.
    """
    if not _is_drawable(family):
        accepted = ", ".join(one.name for one in FAMILIES.values() if _is_drawable(one))
        raise BaseError(
            f"LoRAs for {family.title} are merged, converted and inspected here, but no pictures are drawn with it and "
            f"nothing is trained on it yet; accepted as a base for that are {accepted}, and others with their classes"
        )


def _is_drawable(family: Family) -> bool:
    """Whether its denoiser has a row; of a family that does not say its class it is found out when it is loaded."""
    components = family.architecture.components if family.architecture else {}
    denoiser = components.get(family.modules.denoiser)
    return denoiser is None or denoiser.kind.rpartition(":")[2] in DENOISER_KINDS
