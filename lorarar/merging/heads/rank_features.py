"""What is to be known of the rank components of a pair's updates, in numbers that know no base's widths.

With dW_c = U_c S_c V_c' and dW_s = U_s S_s V_s' all of it comes from the singular values and from U_c'U_s and V_c'V_s,
which are r_c x r_s. No spelling of the updates changes any of it: a component's sign is u's and v's alike, so it is
in squares and in products of both alone. Components that are nothing beside the largest count as missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import pad

from lorarar.lora.adapter import Factors
from lorarar.lora.alike import alike

NOTHING = 1e-5  # of the largest singular value of a layer: what is less is rounding
LOGARITHMS, BOUND = 2.0, 4.0  # natural ones are divided by the first, for numbers of about one, and end at the second
OF_COMPONENT, OF_LAYER, OF_ADAPTER = 11, 6, 2
WIDTH = OF_COMPONENT + OF_LAYER + OF_ADAPTER  # numbers of a component


@dataclass(frozen=True)
class Spectrum:
    """Singular values of one side in L layers of P pairs, each filled up with zeros to r."""

    values: Tensor  # (L, P, r), the largest first
    there: Tensor  # (L, P, r), of booleans: which are more than nothing

    @property
    def norms(self) -> Tensor:
        """The layers' norms (L, P)."""
        norms: Tensor = torch.linalg.vector_norm(self.values, dim=-1)
        return norms

    @property
    def shares(self) -> Tensor:
        """Each component's share of its layer's energy (L, P, r)."""
        return (self.values * _inverse(self.norms).unsqueeze(-1)).square()

    @property
    def counts(self) -> Tensor:
        """How many components there are (L, P)."""
        return self.there.sum(dim=-1)

    @property
    def scale(self) -> Tensor:
        """The root of the mean energy of a layer (P,)."""
        return self.norms.square().mean(dim=0).sqrt()


@dataclass(frozen=True)
class Meeting:
    """How the components of both sides lie to each other, from updates in singular form; of stacks of P or of one."""

    content: Spectrum
    style: Spectrum
    columns: Tensor  # U_c'U_s (L, P, r_c, r_s)
    rows: Tensor  # V_c'V_s

    @classmethod
    @torch.no_grad()
    def of(cls, content: Mapping[str, Factors], style: Mapping[str, Factors], layers: Sequence[str]) -> Self:
        """Of layers that both sides have, which are no convolutions."""
        ranks = [max(side[name].down.shape[-2] for name in layers) for side in (content, style)]
        parts: dict[str, list[Tensor]] = {}
        for names in alike({name: (content[name], style[name]) for name in layers}):
            met = _met([content[name] for name in names], [style[name] for name in names], ranks)
            parts |= {name: [tensor[place] for tensor in met] for place, name in enumerate(names)}
        u_c, v_c, u_s, v_s, columns, rows = (torch.stack(of) for of in zip(*(parts[n] for n in layers), strict=True))
        ours, theirs = _spectrum(u_c * v_c), _spectrum(u_s * v_s)
        both = ours.there.unsqueeze(-1) & theirs.there.unsqueeze(-2)
        lengths = (_inverse(c).unsqueeze(-1) * _inverse(s).unsqueeze(-2) for c, s in ((u_c, u_s), (v_c, v_s)))
        columns, rows = (gram * length * both for gram, length in zip((columns, rows), lengths, strict=True))
        return cls(ours, theirs, columns, rows)

    @property
    def turned(self) -> Meeting:
        """The same as the other side sees it."""
        return Meeting(self.style, self.content, self.columns.mT, self.rows.mT)

    @torch.no_grad()
    def features(self) -> Tensor:
        """Numbers of content's components beside style's, (L, P, r_c, ``WIDTH``)."""
        own, other, both = self.content, self.style, self.columns * self.rows
        values, norms, others = own.values, own.norms, other.norms.unsqueeze(-1)
        weights = other.shares.unsqueeze(-1)
        aligned = (both @ other.values.unsqueeze(-1)).squeeze(-1)  # u_i' dW_s v_i
        weighted = [(gram.square() @ weights).squeeze(-1) for gram in (self.columns, self.rows)]
        places = torch.arange(values.shape[-1], device=values.device) + 0.5
        of_component = [
            _log(values, values[..., :1]),
            _log(values, own.scale.view(1, -1, 1)),
            _log(values, others),
            own.shares,
            (places * _inverse(own.counts.unsqueeze(-1))).clamp(max=1),
            *(gram.square().sum(dim=-1).sqrt() for gram in (self.columns, self.rows)),
            *(weight.sqrt() for weight in weighted),
            aligned * _inverse(others),
            both.square().sum(dim=-1).sqrt(),
        ]
        inner = (values * aligned).sum(dim=-1)  # <dW_c, dW_s>
        of_layer = [
            _log(norms, other.norms),
            _log(norms, own.scale),
            inner * _inverse(norms * other.norms),
            own.shares.square().sum(dim=-1),
            *((own.shares * weight).sum(dim=-1).sqrt() for weight in weighted),
        ]
        of_adapter = [_log(own.scale, other.scale), inner.mean(dim=0) * _inverse(own.scale * other.scale)]
        spread = [number.unsqueeze(-1) for number in of_layer] + [number.view(1, -1, 1) for number in of_adapter]
        return torch.stack([*of_component, *(number.expand_as(values) for number in spread)], dim=-1)


def _met(content: Sequence[Factors], style: Sequence[Factors], ranks: Sequence[int]) -> tuple[Tensor, ...]:
    """Of L layers of one shape: lengths of B's columns and A's rows of either side, and products between the sides."""
    (up_c, down_c), (up_s, down_s) = (
        (_side_by_side([of.up for of in side]), _side_by_side([of.down for of in side])) for side in (content, style)
    )
    more_c, more_s = ranks[0] - down_c.shape[-2], ranks[1] - down_s.shape[-2]
    lengths = [
        pad(of, (0, more))
        for up, down, more in ((up_c, down_c, more_c), (up_s, down_s, more_s))
        for of in (torch.linalg.vector_norm(up, dim=-2), torch.linalg.vector_norm(down, dim=-1))
    ]
    grams = (pad(gram, (0, more_s, 0, more_c)) for gram in (up_c.mT @ up_s, down_c @ down_s.mT))
    return *lengths, *grams


def _side_by_side(halves: Sequence[Tensor]) -> Tensor:
    """Factors of L layers, (L, P, ...), in single precision; of one adapter P is 1."""
    both = torch.stack([*halves]).float()
    return both if both.dim() == 4 else both.unsqueeze(1)


def _spectrum(values: Tensor) -> Spectrum:
    there = values > NOTHING * values[..., :1]
    return Spectrum(values * there, there)


def _inverse(numbers: Tensor) -> Tensor:
    """One over each number; of 0 it is 0."""
    return torch.where(numbers > 0, 1 / numbers, 0)


def _log(numbers: Tensor, base: Tensor) -> Tensor:
    """The logarithm of how many times the base they are, within bounds."""
    tiny = torch.finfo(torch.float32).tiny
    return (numbers.clamp(min=tiny).log() - base.clamp(min=tiny).log()).div(LOGARITHMS).clamp(-BOUND, BOUND)
