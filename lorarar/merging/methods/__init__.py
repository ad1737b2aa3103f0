"""Merge methods: each one pure function from two adapters to one, listed once in ``METHODS``."""

from lorarar.merging.methods.merge_inputs import Form, MergeInputs, MergeResult
from lorarar.merging.methods.table import METHODS, Method, MethodInfo, Option, method_named

__all__ = ["METHODS", "Form", "MergeInputs", "MergeResult", "Method", "MethodInfo", "Option", "method_named"]
