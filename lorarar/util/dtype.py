"""Kinds of floating point numbers by their names, as options and settings have them; loads no torch."""

from __future__ import annotations

from typing import Literal

Dtype = Literal["float32", "float16", "bfloat16"]
