"""Merging by coefficients, dW_m = m_c (x) dW_c + m_s (x) dW_s (Eq. 2): with given and with predicted ones.

Column i of B A is B A[:, i], so the merge is exactly the factors [B_c B_s], [A_c diag(m_c); A_s diag(m_s)]. Where the
coefficients are of rank components instead, B and A are those of the singular form, and the merge is exactly
[U_c U_s], [diag(m_c) S_c V_c'; diag(m_s) S_s V_s']. A coefficient of a layer scales all of A.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.axis import AXES
from lorarar.lora.singular_form import singular_forms
from lorarar.merging.coefficients import Coefficients, axis_of, length_along
from lorarar.merging.head import ConstantRule, OthersRule, Predictor
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import scale_parts, sum_terms
from lorarar.util.errors import MethodError


def check_shared(content: Adapter, style: Adapter) -> None:
    """Refuse two adapters that have no layer in common, of which no column has a partner.

    Raises:
        MethodError: they have none.
    """
    if not content.layers.keys() & style.layers.keys():
        raise MethodError(
            f"{content.name} and {style.name} share no layer, so there are no coefficients to find; "
            "--method direct merges them exactly"
        )


def by_coefficients(
    content: Adapter, style: Adapter, inputs: MergeInputs, *, coefficients: Mapping[str, Coefficients]
) -> MergeResult:
    """Coefficients of this pair, along any axis; layers without any are summed.

    Raises:
        MethodError: the coefficients are of other layers, widths or ranks than the adapters.
    """
    axis = axis_of(coefficients)
    for layer, pair in coefficients.items():
        for adapter, vector in zip((content, style), pair, strict=True):
            if layer not in adapter.layers or len(vector) != length_along(axis, adapter.layers[layer]):
                raise MethodError(
                    f"the coefficients of {layer}, one for each {AXES[axis]}, do not fit {adapter.name}; "
                    "were they made for it?"
                )
    if axis == "rank":
        content, style = (replace(of, layers=_singular(of.layers, coefficients)) for of in (content, style))
    return _merged(content, style, inputs, coefficients)


def lorarar(
    content: Adapter,
    style: Adapter,
    inputs: MergeInputs,
    *,
    hypernet: Predictor,
    key_value: ConstantRule | None = None,
    others: OthersRule | None = None,
    means: bool = False,
) -> MergeResult:
    """Coefficients that a hypernetwork predicts from both adapters (Eq. 1).

    With ``means`` the predictor is one that gives every pair the same (``mean_values.settle_means``).
    """
    ours, theirs = hypernet.spelt(content), hypernet.spelt(style)
    return _merged(ours, theirs, inputs, hypernet(ours, theirs, key_value, others))


def _merged(
    content: Adapter, style: Adapter, inputs: MergeInputs, coefficients: Mapping[str, Coefficients]
) -> MergeResult:
    """The merge of two adapters in the spelling that the coefficients scale."""
    layers, energy = sum_terms(scale_parts(content, style, coefficients), inputs)
    return MergeResult(layers, coefficients, energy, sides=(content, style))


def _singular(layers: Mapping[str, Factors], coefficients: Mapping[str, Coefficients]) -> dict[str, Factors]:
    """Layers with those in singular form whose components differ in their coefficients; one for all fits any form."""
    differing = {name for name, pair in coefficients.items() if any(bool((m != m[0]).any()) for m in pair)}
    return {**layers, **singular_forms({name: of for name, of in layers.items() if name in differing})}
