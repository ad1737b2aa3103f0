"""The head ``ranks``: a coefficient for each rank component, from numbers that know no base's widths."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lorarar.lora.adapter import Adapter
from lorarar.lora.stack import is_stack
from lorarar.merging.coefficients import Coefficients
from lorarar.merging.heads import layer_place, rank_features
from lorarar.merging.heads.rank_features import Meeting
from lorarar.merging.heads.singular_head import SingularHead


class RankHead(SingularHead):
    """Rank gates: with dW = U S V' of either side, dW_m = U_c S_c diag(g_c) V_c' + U_s S_s diag(g_s) V_s'.

    A gate is a small perceptron's, one for all layers and both sides, of what ``rank_features`` knows of the component
    beside the other side's, of the layer's place in the network, and of the side. So one network reads LoRAs of any
    width, rank and base.
    """

    name = "ranks"
    axis = "rank"

    def add_layers(self, hidden: int) -> None:
        """Add what reads a component, its place and its side, and what makes its gate of them."""
        self.component = nn.Linear(rank_features.WIDTH, hidden)
        self.place = nn.Linear(layer_place.WIDTH, hidden, bias=False)
        self.side = nn.Parameter(torch.zeros(hidden))  # what style has more than content
        self.between = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, 1)
        nn.init.normal_(self.side, std=hidden**-0.5)

    def predict(self, content: Adapter, style: Adapter) -> dict[str, Coefficients]:
        """The gates of the layers that are predicted; of stacks of P adapters (P, r)."""
        layers = self.shared_layers(content, style)
        if not layers:
            return {}
        meeting = Meeting.of(content.layers, style.layers, layers)
        weight = self.place.weight
        places = layer_place.encoded(layer_place.places_of(layers)).to(weight) @ weight.mT
        ours = self._gates(meeting.features(), places)
        theirs = self._gates(meeting.turned.features(), places + self.side)
        stacked = is_stack(content.layers[layers[0]])
        gates: dict[str, Coefficients] = {}
        for name, c, s in zip(layers, ours, theirs, strict=True):
            g_c, g_s = (g if stacked else g[0] for g in (c, s))
            gates[name] = g_c[..., : _rank(content, name)], g_s[..., : _rank(style, name)]
        return gates

    def overlapping(
        self, content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients]
    ) -> list[Coefficients]:
        """Pairs g_c and (V_c'V_s)^2 g_s, squared by element, whose dot product is how much both sides overlap.

        For columns v_i is a unit vector, and it is m_c . m_s, Eq. 3's. A mean over components is over those that
        there are, so not over what a stack is filled up with.
        """
        layers = self.shared_layers(content, style)
        if not layers:
            return []
        meeting, pairs = Meeting.of(content.layers, style.layers, layers), list[Coefficients]()
        for place, name in enumerate(layers):
            g_c, g_s = coefficients[name]
            there = meeting.content.there[place, :, : g_c.shape[-1]]
            rows = meeting.rows[place, :, : g_c.shape[-1], : g_s.shape[-1]].square()
            share = (there.shape[-1] / there.sum(dim=-1, keepdim=True).clamp(min=1)).sqrt()
            met = (rows @ g_s.unsqueeze(-1)).squeeze(-1)
            pairs.append(((g_c * there * share).view_as(g_c), (met * share).view_as(g_c)))
        return pairs

    def _gates(self, features: Tensor, places: Tensor) -> Tensor:
        """Gates (L, P, r) of components with these features, in layers at these places (L, hidden)."""
        hidden = self.component(features.to(places.dtype)) + places[:, None, None]
        seen = nn.functional.silu(self.between(nn.functional.silu(hidden)))
        gates: Tensor = self.output(seen).squeeze(-1)
        return gates


def _rank(adapter: Adapter, layer: str) -> int:
    return adapter.layers[layer].down.shape[-2]
