"""What the heads have in common that look at LoRAs by their rank components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from torch import nn

from lorarar.lora.adapter import PREDICTABLE, Adapter, Part
from lorarar.lora.singular_form import singular_forms
from lorarar.merging.head import ConstantRule, Head, HeadForm, OthersRule

START = 0.7  # of every coefficient before a training


class SingularHead(Head):
    """A head that reads the layers it predicts in singular form, and so LoRAs of any width; by default of all parts.

    A subclass adds its layers, of which ``output`` is the last: its values are the coefficients.
    """

    output: nn.Linear

    def __init__(
        self,
        hidden: int = 128,
        parts: Sequence[Part] = PREDICTABLE,
        key_value: ConstantRule = "mean",
        others: OthersRule = "key-value",
    ) -> None:
        super().__init__(hidden, parts, key_value, others)
        self.add_layers(hidden)

    def add_layers(self, hidden: int) -> None:
        """Add the layers of the network, ``hidden`` wide, their weights at random."""
        raise NotImplementedError

    @classmethod
    def of(cls, form: HeadForm) -> Self:
        """A network of this form, its weights at random."""
        return cls(form.hidden, form.parts, form.key_value, form.others)

    def start(self) -> None:
        """Set the output so that every coefficient starts at ``START``."""
        nn.init.zeros_(self.output.weight)
        nn.init.constant_(self.output.bias, START)

    def spelt(self, adapter: Adapter) -> Adapter:
        """The adapter with the layers that are predicted in singular form; the others stay as they are."""
        predicted = {name: factors for name, factors in adapter.layers.items() if self.predicts(name)}
        return replace(adapter, layers={**adapter.layers, **singular_forms(predicted)}, stored=adapter.dtype)

    def shared_layers(self, content: Adapter, style: Adapter) -> list[str]:
        """The layers that are predicted of two adapters, in content's order."""
        return [name for name in content.layers if name in style.layers and self.predicts(name)]
