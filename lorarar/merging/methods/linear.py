"""The plain sum."""

from __future__ import annotations

from lorarar.lora.adapter import Adapter
from lorarar.merging.methods.blend import Blend, Ingredients, summed, weighted


def direct(content: Adapter, style: Adapter, using: Ingredients) -> Blend:
    """Weighted sum of both updates: w_c dW_c + w_s dW_s.

    The weights are 1 and 1 unless said otherwise, as in the authors' code; 0.5 and 0.5 is averaging.
    """
    layers, energy = summed(weighted(content, style, using.weights), using)
    return Blend(layers, energy=energy)
