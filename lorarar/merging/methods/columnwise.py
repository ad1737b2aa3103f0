"""Column-wise merging, dW_m = m_c (x) dW_c + m_s (x) dW_s (Eq. 2): with optimised and with predicted coefficients.

Column i of B A is B A[:, i], so the merge is exactly the factors [B_c B_s], [A_c diag(m_c); A_s diag(m_s)].
"""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.lora.adapter import Adapter
from lorarar.merging.hypernet import Coefficients, ConstantRule, OthersRule, Predictor
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import scale_columns, sum_terms
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


def ziplora(
    content: Adapter, style: Adapter, inputs: MergeInputs, *, coefficients: Mapping[str, Coefficients]
) -> MergeResult:
    """Coefficients optimised for this pair (Shah et al., 2023); layers without any are summed.

    Raises:
        MethodError: the coefficients are of other layers or widths than the adapters.
    """
    for layer, pair in coefficients.items():
        for adapter, vector in zip((content, style), pair, strict=True):
            if layer not in adapter.layers or len(vector) != adapter.layers[layer].down.shape[1]:
                raise MethodError(f"the coefficients of {layer} do not fit {adapter.name}; were they made for it?")
    layers, energy = sum_terms(scale_columns(content, style, coefficients), inputs)
    return MergeResult(layers, coefficients, energy)


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
    coefficients = hypernet(content, style, key_value, others)
    layers, energy = sum_terms(scale_columns(content, style, coefficients), inputs)
    return MergeResult(layers, coefficients, energy)
