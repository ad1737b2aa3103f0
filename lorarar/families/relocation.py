"""A base on another machine: of a family it lies where that machine has the package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lorarar.families.family import Base
from lorarar.families.table import FAMILIES, find_base


def relocated(base: Base) -> Base:
    """A base that another machine has found, as it lies here; one at a commit stays at it.

    Raises:
        BaseError: a family's base, or the VAE, is not here.
    """
    if base.name not in FAMILIES or Path(base.location).exists():
        return base
    here = find_base(base.name, vae=base.vae, prediction=base.prediction)
    return replace(here, revision=base.revision, variant=base.variant)
