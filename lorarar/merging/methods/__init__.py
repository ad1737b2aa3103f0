"""Merge methods: each one pure function from two adapters to one, listed once in ``METHODS``."""

from lorarar.merging.methods.blend import Blend, Form, Ingredients
from lorarar.merging.methods.table import METHODS, Method, Option, Origin, method_named

__all__ = ["METHODS", "Blend", "Form", "Ingredients", "Method", "Option", "Origin", "method_named"]
