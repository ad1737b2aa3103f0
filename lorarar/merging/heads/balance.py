"""The head ``balance``: two coefficients for each block group, from what is known of its rank components."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lorarar.lora.adapter import Adapter
from lorarar.lora.stack import is_stack
from lorarar.merging.coefficients import Coefficients, length_along
from lorarar.merging.heads import layer_place, rank_features
from lorarar.merging.heads.layer_place import LayerPlace
from lorarar.merging.heads.rank_features import Meeting, Spectrum
from lorarar.merging.heads.singular_head import SingularHead


class BalanceHead(SingularHead):
    """How much of content and of style a block group has, its attention and its feed-forward layers each.

    Both numbers are a perceptron's, one for all groups, of the numbers of rank components of either side, as a mean
    over the group's components and as a mean by energy, and of the group's place in the network. A group is a block of
    a UNet, or a quarter of a network that has no such blocks. All columns of a layer have one coefficient.
    """

    name = "balance"

    def add_layers(self, hidden: int) -> None:
        """Add what reads a block group, and what makes its two coefficients of that."""
        self.group = nn.Linear(4 * rank_features.WIDTH + layer_place.WIDTH, hidden)
        self.between = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, 2)

    def predict(self, content: Adapter, style: Adapter) -> dict[str, Coefficients]:
        """The coefficients of the layers that are predicted, all columns alike; of stacks of P adapters (P, n)."""
        layers = self.shared_layers(content, style)
        if not layers:
            return {}
        places = layer_place.places_of(layers)
        groups = _groups(places)
        balances = self.balances(self.features(content, style))  # (P, G, 2)
        coefficients: dict[str, Coefficients] = {}
        for name, place in zip(layers, places, strict=True):
            factors = content.layers[name]
            columns = balances[:, groups.index(place.group)].unsqueeze(-1)
            m_c, m_s = columns.expand(-1, -1, length_along(self.axis, factors)).unbind(1)
            coefficients[name] = (m_c, m_s) if is_stack(factors) else (m_c[0], m_s[0])
        return coefficients

    def features(self, content: Adapter, style: Adapter) -> Tensor:
        """What is known of G block groups of adapters that are so spelt, (P, G, F); of one adapter P is 1."""
        layers = self.shared_layers(content, style)
        places = layer_place.places_of(layers)
        members = torch.tensor([[float(place.group == group) for place in places] for group in _groups(places)])
        meeting = Meeting.of(content.layers, style.layers, layers)
        weight = self.output.weight
        members, encoded = members.to(weight), layer_place.encoded(places).to(weight)
        sides = (meeting.features(), meeting.content), (meeting.turned.features(), meeting.style)
        pooled = [mean for side in sides for mean in _pooled(*side, members)]  # (G, P, width) each
        place = (members @ encoded / members.sum(dim=1, keepdim=True)).unsqueeze(1)
        return torch.cat([*pooled, place.expand(-1, pooled[0].shape[1], -1)], dim=-1).transpose(0, 1)

    def balances(self, features: Tensor) -> Tensor:
        """Both coefficients (..., 2) of groups of which that (..., F) is known."""
        hidden = nn.functional.silu(self.group(features))
        balances: Tensor = self.output(nn.functional.silu(self.between(hidden)))
        return balances


def _groups(places: Sequence[LayerPlace]) -> list[str]:
    """The block groups of layers."""
    return sorted({place.group for place in places})


def _pooled(features: Tensor, spectrum: Spectrum, members: Tensor) -> tuple[Tensor, Tensor]:
    """Features of components (L, P, r, F) as means over groups (G, P, F): over what components there are, by energy."""

    def mean(weights: Tensor) -> Tensor:
        sums = torch.einsum("gl,lpr,lprf->gpf", members, weights, features)
        total = torch.einsum("gl,lpr->gp", members, weights).unsqueeze(-1)
        return sums / torch.where(total > 0, total, 1)

    return mean(spectrum.there.float()), mean(spectrum.values.square())
