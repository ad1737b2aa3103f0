"""Families: a base model with all that comes with it, one row each."""

from lorarar.families.family import Base, Family
from lorarar.families.table import FAMILIES, families_with, find_base

__all__ = ["FAMILIES", "Base", "Family", "families_with", "find_base"]
