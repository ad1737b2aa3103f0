"""A head: the form of a hypernetwork, so what it looks at of two LoRAs and what it gives a coefficient to.

What all heads have in common is here: which parts they predict, the rules for the rest, and how a merge calls them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self

import torch
from torch import Tensor, nn

from lorarar.lora.adapter import ATTENTION, Adapter, Factors, Part, part_of
from lorarar.lora.axis import Axis
from lorarar.merging.coefficients import Coefficients, CoefficientSet, length_along

ConstantRule = Literal["mean", "sum"]
OthersRule = Literal["key-value", "mean", "sum"]  # key-value: as the keys and values

#: What a layer that is not predicted gets, for content and style alike.
CONSTANT: dict[ConstantRule, float] = {"mean": 0.5, "sum": 1.0}


class Predictor(Protocol):
    """Coefficients of every layer that both adapters have.

    The rules of layers that are not predicted, those of attention and the others, are its own unless they are given.
    """

    def spelt(self, adapter: Adapter) -> Adapter:
        """The adapter in the spelling that coefficients scale, and that predictions are made of."""
        ...

    def __call__(
        self,
        content: Adapter,
        style: Adapter,
        key_value: ConstantRule | None = None,
        others: OthersRule | None = None,
    ) -> CoefficientSet:
        """The coefficients by layer of two adapters that are so spelt."""
        ...


@dataclass(frozen=True)
class HeadForm:
    """All that a head is made of but its weights, as a file's header has it."""

    hidden: int = 128
    parts: tuple[Part, ...] = ("query", "output")
    key_value: ConstantRule = "mean"
    others: OthersRule = "key-value"
    widths: tuple[int, ...] = ()  # column lengths, where it has weights for each


class Head(nn.Module):
    """What every head has: the parts that it predicts, and its rules for the rest.

    Args:
        hidden: width of its hidden layers.
        parts: parts whose coefficients are predicted.
        key_value: rule of attention's other parts: the paper's simple average, or the authors' sum.
        others: rule of layers outside attention that are not predicted, of which the paper says nothing.
    """

    name: ClassVar[str]  # its row's, in ``HEADS``
    axis: ClassVar[Axis] = "column"
    by_width: ClassVar[bool] = False  # whether it has weights for each column length, and so reads no other

    def __init__(self, hidden: int, parts: Sequence[Part], key_value: ConstantRule, others: OthersRule) -> None:
        super().__init__()
        self.hidden, self.parts, self.key_value, self.others = hidden, tuple(parts), key_value, others

    @classmethod
    def of(cls, form: HeadForm) -> Self:
        """A head of this form, its weights at random."""
        raise NotImplementedError

    @property
    def form(self) -> HeadForm:
        """Its form, of which ``of`` makes another."""
        return HeadForm(self.hidden, self.parts, self.key_value, self.others)

    def start(self) -> None:
        """Set the weights from which a training starts."""
        raise NotImplementedError

    def spelt(self, adapter: Adapter) -> Adapter:
        """The adapter in the spelling that coefficients scale: of columns as it is."""
        return adapter

    def overlapping(
        self, content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients]
    ) -> list[Coefficients]:
        """Pairs of vectors, (n,) or of stacks (P, n), whose dot products say how much both sides overlap (Eq. 3).

        Of columns they are m_c and m_s themselves; of predicted layers alone.
        """
        return [pair for layer, pair in coefficients.items() if self.predicts(layer)]

    def predicts(self, layer: str) -> bool:
        """Whether this layer's coefficients are predicted rather than constant."""
        return part_of(layer) in self.parts

    def constant(self, layer: str, key_value: ConstantRule | None = None, others: OthersRule | None = None) -> float:
        """What a layer that is not predicted gets, for content and style alike, by its own rules or these."""
        of_attention, of_others = key_value or self.key_value, others or self.others
        rule = of_attention if part_of(layer) in ATTENTION or of_others == "key-value" else of_others
        return CONSTANT[rule]

    def predict(self, content: Adapter, style: Adapter) -> Mapping[str, Coefficients]:
        """The coefficients of the layers that are predicted; of stacks of P adapters (P, n)."""
        raise NotImplementedError

    def forward(
        self,
        content: Adapter,
        style: Adapter,
        key_value: ConstantRule | None = None,
        others: OthersRule | None = None,
    ) -> CoefficientSet:
        """Coefficients of every layer that both adapters have, which are spelt as ``spelt`` does."""
        return self.with_constants(content, style, self.predict(content, style), key_value, others)

    def with_constants(
        self,
        content: Adapter,
        style: Adapter,
        predicted: Mapping[str, Coefficients],
        key_value: ConstantRule | None = None,
        others: OthersRule | None = None,
    ) -> CoefficientSet:
        """Predicted coefficients, and the constants of the other layers: one vector for each length and value."""
        vectors = dict[tuple[int, float], Tensor]()

        def constant(layer: str, factors: Factors) -> Tensor:
            key = length_along(self.axis, factors), self.constant(layer, key_value, others)
            if key not in vectors:
                vectors[key] = torch.full(key[:1], key[1], device=factors.down.device)
            return vectors[key]

        return CoefficientSet(
            {
                name: predicted[name] if name in predicted else (constant(name, ours), constant(name, theirs))
                for name, ours in content.layers.items()
                if (theirs := style.layers.get(name))
            },
            self.axis,
        )
