"""LoRAs that pictures are drawn with: one, or several as their exact sum, each with a strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lorarar.lora.adapter import Adapter, Factors, scaled_sum, shape_text
from lorarar.util.errors import AdapterError


class AttachedLora(NamedTuple):
    """A LoRA and how much of it: 1 is as it is."""

    adapter: Adapter
    strength: float = 1.0

    @property
    def text(self) -> str:
        """What it is known by: its digest, with the strength behind it where that is not 1."""
        return self.adapter.identity + (f":{self.strength!r}" if self.strength != 1 else "")


def attached_text(loras: Sequence[AttachedLora], method: str = "") -> str:
    """What several are known by, in order, behind the name of a method that draws with them; empty without any."""
    return (f"{method}:" if method else "") + ",".join(lora.text for lora in loras)


def summed(loras: Sequence[AttachedLora]) -> Adapter:
    """The adapter that does what all of them do together, exactly: its factors are theirs, one after another.

    Raises:
        AdapterError: a layer of one has another shape in another.
    """
    if len(loras) == 1 and loras[0].strength == 1:
        return loras[0].adapter
    terms: dict[str, list[tuple[Factors, float]]] = {}
    for lora in loras:
        for layer, factors in lora.adapter.layers.items():
            first = terms.setdefault(layer, [])
            if first and first[0][0].shape != factors.shape:
                ours, theirs = shape_text(factors.shape), shape_text(first[0][0].shape)
                raise AdapterError(
                    f"{lora.adapter.name} is of another base model than the LoRAs before it: {layer} is {ours}, "
                    f"not {theirs}"
                )
            first.append((factors, lora.strength))
    name = " and ".join(lora.adapter.name for lora in loras)
    return replace(loras[0].adapter, layers={layer: scaled_sum(parts) for layer, parts in terms.items()}, name=name)
