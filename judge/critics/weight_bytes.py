"""How many bytes a weight of a model takes, by the numbers it is kept in."""

from __future__ import annotations

BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "8bit": 1.0, "4bit": 0.5}
