"""The one table of families, and base models by name, folder or hub id."""

from __future__ import annotations

from pathlib import Path

from lorarar.families.family import Base, Family
from lorarar.families.pocket import POCKET
from lorarar.families.sdxl import SDXL
from lorarar.util.errors import BaseError
from lorarar.util.model_reference import HubId, find_model

FAMILIES: dict[str, Family] = {family.name: family for family in (POCKET, SDXL)}


def families_with(part: str) -> dict[str, Family]:
    """The families that have a part, by name: ``critic``, ``clip``, ``dino`` or ``ground_truth``."""
    return {name: family for name, family in FAMILIES.items() if getattr(family, part) is not None}


def find_base(name: str) -> Base:
    """Find the base of that name, folder or hub id; a revision may follow a hub id after ``@``.

    Raises:
        BaseError: neither a known name, nor a pipeline folder, nor of the form OWNER/NAME.
    """
    model = find_model(name, {family.name: family.find_base for family in FAMILIES.values()})
    if model is None:
        raise BaseError(
            f"{name!r} is neither {' nor '.join(FAMILIES)}, nor a pipeline folder, nor a hub id like OWNER/NAME"
        )
    if isinstance(model, Path):
        if not (model / "model_index.json").is_file():
            raise BaseError(f"{name} is no pipeline folder: model_index.json is missing")
        return Base(name, str(model))
    return Base(name, model.repository, model.revision) if isinstance(model, HubId) else model
