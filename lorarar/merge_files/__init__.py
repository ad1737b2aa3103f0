"""Merge LoRA files: read, check, optimise where the method does, merge, write, and say what made the result."""

from lorarar.merge_files.checks import check_given, check_place
from lorarar.merge_files.conversion import ConvertedLora, convert
from lorarar.merge_files.folders import OF_ONE_PAIR, Pairing, merge_all, pairings
from lorarar.merge_files.loras import calibrator_for, merge, merge_loras, optimiser_for
from lorarar.merge_files.result import Merge

__all__ = [
    "OF_ONE_PAIR",
    "ConvertedLora",
    "Merge",
    "Pairing",
    "calibrator_for",
    "check_given",
    "check_place",
    "convert",
    "merge",
    "merge_all",
    "merge_loras",
    "optimiser_for",
    "pairings",
]
