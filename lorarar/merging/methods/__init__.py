"""Merge methods: each one pure function from two adapters to one, listed once in ``METHODS``.

The table is light; what the functions take and return loads torch, with its first use.
"""

from typing import TYPE_CHECKING

from lorarar.lora.drawn_methods import MethodInfo
from lorarar.merging.methods.method import Method
from lorarar.merging.methods.table import METHODS, method_named, origin_of
from lorarar.util.lazy import load_on_use
from lorarar.util.options import Option

if TYPE_CHECKING:
    from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult

__all__ = ["METHODS", "MergeInputs", "MergeResult", "Method", "MethodInfo", "Option", "method_named", "origin_of"]

__getattr__ = load_on_use(
    __name__, dict.fromkeys(("MergeInputs", "MergeResult"), "lorarar.merging.methods.merge_inputs")
)
