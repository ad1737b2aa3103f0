"""Families: a base model with all that comes with it, one row each."""

from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules
from lorarar.families.table import DEFAULT_BASE, FAMILIES, families_with, family_of, find_base

__all__ = [
    "DEFAULT_BASE",
    "FAMILIES",
    "Base",
    "DrawingDefaults",
    "Family",
    "Modules",
    "families_with",
    "family_of",
    "find_base",
]
