"""Coefficients of a merge: how much of each column, each rank component or each layer of either LoRA is in it.

A set of them has one axis for all layers. Along ``column`` a layer and side has n numbers, one for each column of its
update (Eq. 2). Along ``rank`` it has r, one for each component u_i s_i v_i' of the update's singular form
(``lorarar.lora.singular_form``), the largest first; r may differ between the sides. Along ``layer`` it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from torch import Tensor

from lorarar.lora.adapter import Factors
from lorarar.lora.axis import Axis
from lorarar.lora.stack import is_stack

ConceptRole = Literal["content", "style"]
ROLES: tuple[ConceptRole, ...] = ("content", "style")
Coefficients = tuple[Tensor, Tensor]  # m_c and m_s: (n,) each; along ranks (r_c,) and (r_s,), along layers (1,)


class CoefficientSet(dict[str, Coefficients]):
    """Coefficients by layer, along one axis; a plain mapping of them is of columns."""

    def __init__(self, pairs: Mapping[str, Coefficients], axis: Axis = "column") -> None:
        super().__init__(pairs)
        self.axis = axis

    def __repr__(self) -> str:
        """How many layers it has, without their numbers."""
        return f"CoefficientSet({len(self)} layers, along {self.axis}s)"


def length_along(axis: Axis, factors: Factors) -> int:
    """How many coefficients a side of a layer has, n, r or 1; of a stack each of its adapters."""
    if axis == "layer":
        return 1
    dimension = {"column": 1, "rank": 0}[axis]
    return factors.down.shape[dimension + is_stack(factors)]


def axis_of(coefficients: Mapping[str, Coefficients]) -> Axis:
    """The axis of a set."""
    return coefficients.axis if isinstance(coefficients, CoefficientSet) else "column"


def change_all(
    coefficients: Mapping[str, Coefficients], change: Callable[[Coefficients], Coefficients]
) -> CoefficientSet:
    """The set with every layer's pair changed, along the same axis."""
    return CoefficientSet({layer: change(pair) for layer, pair in coefficients.items()}, axis_of(coefficients))
