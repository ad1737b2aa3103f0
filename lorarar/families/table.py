"""The one table of families, ours and those of other packages, and base models by name, folder or hub id."""

from __future__ import annotations

import json
from pathlib import Path

from lorarar.families.family import Base, Family
from lorarar.families.pocket import POCKET
from lorarar.families.sdxl import SDXL
from lorarar.util.errors import BaseError
from lorarar.util.model_reference import find_model
from lorarar.util.registry import Registry

FAMILIES = Registry("lorarar.families", Family, (POCKET, SDXL))
DEFAULT_BASE = POCKET.name  # of a command that names none
INDEX = "model_index.json"  # of a pipeline folder


def families_with(part: str) -> dict[str, Family]:
    """The families that have a part, by name: ``critic``, ``ground_truth``, or a kind of backbone as ``clip``."""
    return {name: family for name, family in FAMILIES.items() if part in family.parts}


def family_of(base: Base) -> Family:
    """The family whose architecture a base has: its own, else the first whose class its folder names, else SDXL."""
    if base.name in FAMILIES:
        return FAMILIES[base.name]
    wanted = _class_of(base.folder) if base.folder else None
    alike = (family for family in FAMILIES.values() if family.pipeline.rpartition(":")[2] == wanted)
    return SDXL if wanted == SDXL.pipeline.rpartition(":")[2] else next(alike, SDXL)


def _class_of(folder: Path) -> str | None:
    """The class that a pipeline folder's index names; None where it names none."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return index.get("_class_name") if isinstance(index, dict) else None


def find_base(name: str) -> Base:
    """Find the base of that name, folder or hub id; a revision may follow a hub id after ``@``.

    Raises:
        BaseError: neither a known name, nor a pipeline folder, nor of the form OWNER/NAME.
    """
    if name in FAMILIES:
        return FAMILIES[name].find_base()
    model = find_model(name, {})
    if model is None:
        raise BaseError(
            f"{name!r} is neither {' nor '.join(FAMILIES)}, nor a pipeline folder, nor a hub id like OWNER/NAME"
        )
    if isinstance(model, Path):
        if not (model / INDEX).is_file():
            raise BaseError(f"{name} is no pipeline folder: {INDEX} is missing")
        return Base(name, str(model))
    return Base(name, model.repository, model.revision)
