"""What of a base is kept off a GPU while it is not needed: nothing, whole models, or single layers."""

from __future__ import annotations

from typing import Literal

Offload = Literal["none", "model", "sequential"]
