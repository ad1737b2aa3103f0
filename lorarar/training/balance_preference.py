"""The loss of a head that predicts balances on what a judge prefers: no UNet takes part.

Each pair has an ideal balance z, and another one w is accepted at a rate that falls with its squared distance from it:

    P(yes | w) proportional to exp(-k |w - z|^2),

with one k for all pairs. Of the pictures of a pair that are accepted, those of balance w are then a share that depends
on z and k alone, whatever the pair's rate is as a whole; its log-likelihood is the loss. Every block group's balance is
taken for z in its turn: verdicts on whole pictures do not tell groups apart, features may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lorarar.merging.heads.balance import BalanceHead
from lorarar.training.judged_balances import JudgedPair
from lorarar.training.loop import Objective, pick
from lorarar.training.share import ALONE, Share

LEASH = 0.1  # weight of the squared distance from the mean accepted balance: what nobody judged is not run to
SHARPNESS = 3.0  # k, where a training starts
SHARPEST = 1e4  # k at most: where each pair has one balance accepted and no other, none would be large enough
MOST_STEPS = 200  # in which the best constant is found


@dataclass(frozen=True)
class Preferences:
    """N pairs with J balances each, of which a pair may have fewer."""

    strengths: Tensor  # (N, J, 2)
    pictures: Tensor  # (N, J), how many were judged; 0 where a pair lacks a balance
    shares: Tensor  # (N, J), of the pair's accepted pictures; they add up to one

    @classmethod
    def of(cls, pairs: Sequence[JudgedPair]) -> Preferences:
        """The preferences of pairs, in their order."""
        most = max(len(pair.tried) for pair in pairs)
        strengths, counts = torch.zeros(len(pairs), most, 2), torch.zeros(len(pairs), most, 2)
        for place, pair in enumerate(pairs):
            for balance, one in enumerate(pair.tried):
                strengths[place, balance] = torch.tensor(one.strengths)
                counts[place, balance] = torch.tensor((one.pictures, one.accepted), dtype=torch.float32)
        pictures, accepted = counts.unbind(-1)
        return cls(strengths, pictures, accepted / accepted.sum(dim=1, keepdim=True))

    def at(self, pairs: Tensor) -> Preferences:
        """Those of some pairs, by number."""
        return Preferences(self.strengths[pairs], self.pictures[pairs], self.shares[pairs])

    @property
    def centre(self) -> Tensor:
        """The mean balance (2,) of accepted pictures, pairs weighing the same."""
        return (self.shares.unsqueeze(-1) * self.strengths).sum(dim=1).mean(dim=0)

    def loss(self, ideals: Tensor, sharpness: Tensor) -> Tensor:
        """The negative log-likelihood (N,) of each pair's accepted pictures, with ideal balances (N, 2)."""
        distances = (self.strengths - ideals.unsqueeze(1)).square().sum(dim=-1)
        likelihoods = (self.pictures.log() - sharpness * distances).log_softmax(dim=1)
        return -torch.where(self.shares > 0, self.shares * likelihoods, 0).sum(dim=1)


@dataclass(frozen=True)
class Constant:
    """One balance for all pairs."""

    balance: Tensor  # (2,)
    sharpness: Tensor  # k

    @classmethod
    def best(cls, preferences: Preferences) -> Constant:
        """The one that the preferences make most likely, within reach of what was judged."""
        centre = preferences.centre
        balance, log_sharpness = centre.clone().requires_grad_(), torch.tensor(SHARPNESS).log().requires_grad_()
        weights = [balance, log_sharpness]
        optimiser: Any = torch.optim.LBFGS(weights, max_iter=MOST_STEPS, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimiser.zero_grad()
            ideals = balance.expand(len(preferences.shares), 2)
            sharpness = log_sharpness.exp().clamp(max=SHARPEST)
            loss = preferences.loss(ideals, sharpness).mean() + LEASH * (balance - centre).square().sum()
            torch.autograd.backward(loss)
            return loss

        optimiser.step(loss)
        return cls(balance.detach(), log_sharpness.detach().exp().clamp(max=SHARPEST))

    def loss(self, preferences: Preferences) -> Tensor:
        """The loss (N,) of preferences by it."""
        return preferences.loss(self.balance.expand(len(preferences.shares), 2), self.sharpness)


class BalancePreference(Objective):
    """The preferences of pairs, some of them a step, with the balances that a head predicts from their features."""

    def __init__(
        self, head: BalanceHead, features: Sequence[Tensor], preferences: Preferences, start: Constant, pairs: int
    ) -> None:
        """Take what is learnt from.

        Args:
            head: what is trained; it is set to give all pairs the constant.
            features: of each of the N pairs (G, F), a row a block group.
            preferences: of the pairs.
            start: the best constant.
            pairs: how many a step, drawn with replacement.
        """
        super().__init__()
        self.head, self.features, self.preferences, self.pairs = head, features, preferences, pairs
        self.log_sharpness = nn.Parameter(start.sharpness.log())
        self.centre = preferences.centre
        nn.init.zeros_(head.output.weight)
        with torch.no_grad():
            head.output.bias.copy_(start.balance)

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """A share of one batch for all."""
        return self.batch(generator_of(0), share)

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """The numbers of a step's pairs (P,)."""
        return (share.of(pick(generator, len(self.features), self.pairs * share.count)),)

    def forward(self, pairs: Tensor) -> Tensor:
        """The mean loss of pairs, over their groups, and what keeps their balances near."""
        groups = [self.features[int(pair)] for pair in pairs]
        balances = self.head.balances(torch.cat(groups).to(self.log_sharpness.device)).float().cpu()
        owners = pairs.repeat_interleave(torch.tensor([len(of_pair) for of_pair in groups]))
        loss = self.preferences.at(owners).loss(balances, self.log_sharpness.exp().cpu()).mean()
        return loss + LEASH * (balances - self.centre).square().sum(dim=-1).mean()
