"""How updates are cut to a rank, as a fact of the merges that it decides."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from lorarar.families import Base
from lorarar.lora.base_layers import layers_of
from lorarar.lora.truncation import EXACT_SIDE

CUT = {"cut": "subspace"}


def cut_facts(options: Mapping[str, Any], base: Base) -> Mapping[str, str]:
    """What a merge's facts have beside its resolved options, where pruned updates of large layers are cut.

    Those of small layers are cut by all eigenvectors, to the bits that they always had; those of large ones were too,
    until they were cut by subspace iteration. So only merges for a base that has large layers, or may have some, are
    others than before, and are known as such.
    """
    if options.get("form") != "delta" or "space" in options:
        return {}
    layers = layers_of(base)
    is_small = layers is not None and all(min(rows, prod(rest)) <= EXACT_SIDE for rows, *rest in layers.values())
    return {} if is_small else CUT
