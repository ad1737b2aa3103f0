"""The means of a hypernetwork: what it would be if it did not look at its input, and how much it does.

One number a layer and side, the mean over columns and over training pairs. Given to every pair as constants they are
the plainest control of a hypernetwork: what it predicts is worth no more than it is beyond them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.coefficients import Coefficients, CoefficientSet
from lorarar.merging.head import ConstantRule, Head, OthersRule
from lorarar.util.errors import HypernetError
from lorarar.util.pair_order import even_pairs
from lorarar.util.progress import Ticker

PATIENCE = 1.0  # seconds; what takes longer shows its progress
MOST_PAIRS = 400  # that means are taken over; of more an even sample
KEPT_PAIRS = 100  # of a network that a training keeps on its way: there may be many
LayerMeans = Mapping[str, tuple[float, float]]  # of content and style, by layer that is predicted


@dataclass(frozen=True)
class Looks:
    """How much a hypernetwork looks at its input, over the pairs that its means are of."""

    pairs: int  # that were looked at
    of_pairs: int  # of so many
    over_pairs: float  # standard deviation of a layer's mean coefficient from pair to pair, root mean square of layers
    within_pair: float  # the same of the coefficients of a layer of one pair
    empty: tuple[float, float]  # mean coefficients of two LoRAs that change nothing

    def record(self) -> dict[str, Any]:
        """The figures as a header has them."""
        return {**vars(self), "empty": list(self.empty)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Looks:
        """The figures of a header.

        Raises:
            KeyError, TypeError, ValueError: they are none.
        """
        content, style = map(float, record["empty"])
        spreads = {name: float(record[name]) for name in ("over_pairs", "within_pair")}
        if not all(map(isfinite, spreads.values())):
            raise ValueError("looks")
        return cls(int(record["pairs"]), int(record["of_pairs"]), **spreads, empty=(content, style))


@dataclass(frozen=True)
class Means:
    """The mean coefficients of a hypernetwork's training pairs, and how far its coefficients are spread around them."""

    layers: LayerMeans
    looks: Looks


@dataclass(frozen=True)
class MeanPredictor:
    """A hypernetwork that does not look at its input: every pair gets its means, and its constants as they are."""

    network: Head
    layers: LayerMeans

    def spelt(self, adapter: Adapter) -> Adapter:
        """The adapter as it is: a constant fits every spelling."""
        return adapter

    def __call__(
        self,
        content: Adapter,
        style: Adapter,
        key_value: ConstantRule | None = None,
        others: OthersRule | None = None,
    ) -> CoefficientSet:
        """The coefficients by layer.

        Raises:
            HypernetError: a layer is predicted of which there is no mean, as no training pair had it.
        """

        def of_layer(layer: str, factors: Factors) -> Coefficients:
            if not self.network.predicts(layer):
                values = (self.network.constant(layer, key_value, others),) * 2
            elif layer in self.layers:
                values = self.layers[layer]
            else:
                raise HypernetError(
                    f"{layer} has no mean coefficients, since the pairs that they were taken over do not change it; "
                    "leave means out, or take them anew: lorarar train means"
                )
            size, device = factors.down.shape[1], factors.down.device
            vectors = {value: torch.full((size,), value, device=device) for value in values}
            return vectors[values[0]], vectors[values[1]]

        layers = content.layers.items()
        return CoefficientSet({layer: of_layer(layer, factors) for layer, factors in layers if layer in style.layers})


@torch.no_grad()
def take_means(
    network: Head,
    contents: Sequence[Adapter],
    styles: Sequence[Adapter],
    most: int = MOST_PAIRS,
) -> Means:
    """The means of a network over all pairs of these LoRAs, or over an even sample of so many of them.

    Args:
        network: left as it is, wherever it is.
        contents, styles: those it was trained on, on the CPU.
        most: how many pairs are looked at.

    Raises:
        HypernetError: no pair shares a layer that the network predicts, or it knows no layer of that width.
    """
    pairs = list(islice(even_pairs(len(contents), len(styles)), most))
    network, tallies = deepcopy(network).cpu().eval(), dict[str, Tally]()
    contents, styles = ([network.spelt(adapter) for adapter in side] for side in (contents, styles))
    with Ticker("means of pairs", len(pairs), patience=PATIENCE) as ticker:
        for content, style in pairs:
            for layer, pair in _predicted(network, contents[content], styles[style]).items():
                tallies.setdefault(layer, Tally()).add(pair)
            ticker.advance()
    if not tallies:
        raise HypernetError(
            "these contents and styles share no layer whose coefficients the hypernetwork predicts, "
            f"of parts {', '.join(network.parts)}; accepted are LoRAs like those it was trained on"
        )
    first = _predicted(network, _emptied(contents[0]), _emptied(styles[0]))
    empty = torch.stack([_means(pair) for pair in first.values()]).mean(0) if first else torch.zeros(2)
    looks = Looks(
        pairs=len(pairs),
        of_pairs=len(contents) * len(styles),
        over_pairs=_root_mean([tally.over_pairs for tally in tallies.values()]),
        within_pair=_root_mean([tally.within_pair for tally in tallies.values()]),
        empty=(float(empty[0]), float(empty[1])),
    )
    return Means({layer: tally.means for layer, tally in tallies.items()}, looks)


class Tally:
    """What was seen of one layer: its mean coefficients pair by pair, and their spread within a pair."""

    def __init__(self) -> None:
        self.pairs: list[Tensor] = []  # means of content and style (2,)
        self.variances: list[Tensor] = []  # of both within a pair (2,)

    def add(self, pair: Coefficients) -> None:
        """Add the coefficients of a pair."""
        self.pairs.append(_means(pair))
        self.variances.append(torch.stack([vector.double().var(correction=0) for vector in pair]))

    @property
    def means(self) -> tuple[float, float]:
        """Of content and style, over pairs."""
        content, style = torch.stack(self.pairs).mean(0).tolist()
        return content, style

    @property
    def over_pairs(self) -> Tensor:
        """Variances from pair to pair (2,)."""
        return torch.stack(self.pairs).var(0, correction=0)

    @property
    def within_pair(self) -> Tensor:
        """Variances within a pair (2,), the mean over pairs."""
        return torch.stack(self.variances).mean(0)


def _predicted(network: Head, content: Adapter, style: Adapter) -> dict[str, Coefficients]:
    """The coefficients of the layers that are predicted, none of those that have a constant."""
    return {layer: pair for layer, pair in network(content, style).items() if network.predicts(layer)}


def _means(pair: Coefficients) -> Tensor:
    """The means (2,) of m_c and of m_s, in double precision."""
    return torch.stack([vector.double().mean() for vector in pair])


def _emptied(adapter: Adapter) -> Adapter:
    """A LoRA of the same layers that changes nothing."""
    layers = adapter.layers.items()
    return Adapter({name: Factors(of.down, torch.zeros_like(of.up)) for name, of in layers})


def _root_mean(variances: Sequence[Tensor]) -> float:
    """The root of the mean of variances."""
    return float(torch.stack(list(variances)).mean().sqrt())
