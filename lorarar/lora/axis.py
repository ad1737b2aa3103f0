"""The axis of coefficients of an update B A: its columns, its rank components, or all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Axis = Literal["column", "rank", "layer"]

#: What one coefficient is of, in words.
AXES: Mapping[Axis, str] = {"column": "column", "rank": "rank component", "layer": "layer"}
