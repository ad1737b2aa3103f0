"""Families: a base model with all that comes with it, one row each."""

from lorarar.families.architecture import Architecture, Blueprint
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules, Prediction
from lorarar.families.table import (
    DEFAULT_BASE,
    FAMILIES,
    architecture_family,
    families_with,
    family_of,
    find_base,
)

__all__ = [
    "DEFAULT_BASE",
    "FAMILIES",
    "Architecture",
    "Base",
    "Blueprint",
    "DrawingDefaults",
    "Family",
    "Modules",
    "Prediction",
    "architecture_family",
    "families_with",
    "family_of",
    "find_base",
]
