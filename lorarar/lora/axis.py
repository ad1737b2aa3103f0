"""The axis of coefficients of an update B A: its columns, which are A's, or its rank components, which are A's rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Axis = Literal["column", "rank"]

#: What one coefficient is of, in words.
AXES: Mapping[Axis, str] = {"column": "column", "rank": "rank component"}
