"""Rows of a table by the names of models' classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

Row = TypeVar("Row")


def class_row(model: Any, rows: Mapping[str, Row]) -> Row | None:
    """A model's row: of its class, of one that this is made of, or of a model which it is around; None without one."""
    names = (kind.__name__ for module in model.modules() for kind in type(module).__mro__)
    return next((rows[name] for name in names if name in rows), None)
