"""Train a head that predicts balances on a judge's preferences, and take of it what holds for LoRAs it has not seen.

A head with a few thousand weights finds something in any few hundred pairs. So parts of both sides are held out in
turn, and pairs of LoRAs that are both unseen choose how long is trained, and to how much of itself what the head says
beyond the best constant is shrunk. Where their 95 % interval has zero in it, nothing is left, and every pair gets the
constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from lorarar.merging.heads.balance import BalanceHead
from lorarar.pictures.concepts import Concept
from lorarar.training.balance_preference import BalancePreference, Constant, Preferences
from lorarar.training.hypernet import new_hypernet, schedule_of
from lorarar.training.judged_balances import JudgedBalances
from lorarar.training.loop import train
from lorarar.training.options import HypernetOptions
from lorarar.util.errors import TrainingError
from lorarar.util.progress import Ticker
from lorarar.util.statistics.crossed import Difference, difference_over_pairs

PARTS = 4  # of either side, of which one is held out in turn
LENGTHS = (0.125, 0.25, 0.5, 1.0)  # of the steps that are asked for
SHRINKAGES = (0.25, 0.5, 0.75, 1.0)  # of these and the lengths those with the least loss on what is held out are taken
Losses = dict[tuple[str, str], float]  # by pair
Choice = tuple[int, float]  # of steps and of a shrinkage


@dataclass(frozen=True)
class BalanceTraining:
    """A trained head, and how far its balances hold for LoRAs that are both unseen."""

    head: BalanceHead
    constant: tuple[float, float]  # the best balance for all pairs
    held_out: int  # pairs
    gain: Difference | None  # of the log-likelihood a pair over the best constant; None where nothing could be held out
    kept: float  # of what the head says beyond the constant, 0 to 1
    steps: int  # of its training; 0 where nothing is kept

    @property
    def line(self) -> str:
        """What came of it, in a sentence."""
        content, style = self.constant
        constant = f"the best balance for all pairs is {content:.2f} of content and {style:.2f} of style"
        if self.gain is None:
            return f"{constant}; too few LoRAs to hold some out, so every pair has it"
        ends = "" if self.gain.low is None else f" ({self.gain.low:+.4f} to {self.gain.high:+.4f})"
        measured = f"{self.gain.value:+.4f}{ends} over it on {self.held_out} pairs of held-out LoRAs"
        if self.kept:
            kept = f"{self.kept:.0%} of them kept, after {self.steps} steps"
            return f"{constant}; log-likelihood of balances of its own {measured}: {kept}"
        return (
            f"{constant}; log-likelihood of balances of its own {measured}: none is kept, every pair has the constant"
        )

    @property
    def record(self) -> dict[str, object]:
        """The same for the header of its file."""
        gain = self.gain
        figures = None if gain is None else {"value": gain.value, "low": gain.low, "high": gain.high}
        return {
            "constant": list(self.constant),
            "held_out": self.held_out,
            "gain": figures,
            "kept": self.kept,
            "steps": self.steps,
        }


def train_balance(
    judged: JudgedBalances,
    options: HypernetOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
) -> BalanceTraining:
    """Train a head ``balance`` on judged balances.

    Args:
        judged: the pairs with what was judged of them.
        options: form and length.
        checkpoint: a file to resume from and to keep the state in.
        makings: all that decides the training; the checkpoint of another one is refused.
        accelerator: device, precision and processes.

    Raises:
        TrainingError: the LoRAs lack a part that is predicted, the checkpoint is another training's, or numbers are no
            longer finite.
    """
    torch.manual_seed(options.seed)
    head = new_hypernet([one.adapter for one in judged.contents], [one.adapter for one in judged.styles], options)
    if not isinstance(head, BalanceHead):
        raise TrainingError(f"head {head.name} predicts no balances; accepted is {BalanceHead.name}")
    return BalanceFit(head, features_of(head, judged), judged, options, accelerator).fit(checkpoint, makings)


def features_of(head: BalanceHead, judged: JudgedBalances) -> list[Tensor]:
    """What a head sees of each pair, (G, F) with a row a block group."""
    with Ticker("read pairs", len(judged.pairs), patience=1.0) as ticker:
        ours, theirs = ([head.spelt(one.adapter) for one in side] for side in (judged.contents, judged.styles))
        features = []
        for pair in judged.pairs:
            features.append(head.features(ours[pair.content], theirs[pair.style])[0])
            ticker.advance()
    return features


class BalanceFit:
    """The training on all pairs, and those on parts of them by which its result is shrunk."""

    def __init__(
        self,
        head: BalanceHead,
        features: Sequence[Tensor],
        judged: JudgedBalances,
        options: HypernetOptions,
        accelerator: Accelerator | None,
    ) -> None:
        """Take an untrained head, and the features (G, F) of each pair."""
        self.head, self.features, self.judged, self.options = head, features, judged, options
        self.accelerator = accelerator or Accelerator()
        self.preferences = Preferences.of(judged.pairs)

    def fit(self, checkpoint: Path | None = None, makings: Mapping[str, object] | None = None) -> BalanceTraining:
        """Hold parts out, train on all, and shrink; raises as ``train``."""
        constants, by_choice = self._held_out()
        kept, steps, gain = 0.0, 0, None
        if len(constants) > 1:
            best = min(by_choice, key=lambda choice: sum(by_choice[choice].values()))
            gain = difference_over_pairs(constants, by_choice[best])
            steps, kept = best if gain is not None and gain.low is not None and gain.low > 0 else (0, 0.0)
        constant, objective = self._objective(torch.arange(len(self.features)))
        if kept:
            self._train(objective, steps, "balance", checkpoint, makings)
        shrink(objective.head, constant.balance, kept)
        content, style = constant.balance.tolist()
        head = objective.head.cpu().eval().requires_grad_(False)
        return BalanceTraining(head, (content, style), len(constants), gain, kept, steps)

    def _held_out(self) -> tuple[Losses, dict[Choice, Losses]]:
        """The losses of pairs whose LoRAs were both held out: by the constant, and by steps and shrinkage."""
        constants: Losses = {}
        lengths = sorted({max(1, round(length * self.options.steps)) for length in LENGTHS})
        by_choice: dict[Choice, Losses] = {choice: {} for choice in product(lengths, SHRINKAGES)}
        parts = min(PARTS, len(self.judged.contents), len(self.judged.styles))
        for part in range(parts if parts > 1 else 0):
            seen, unseen = self._split(part, parts)
            if not len(seen) or not len(unseen):
                continue
            names = [self._name(int(pair)) for pair in unseen]
            for steps in lengths:
                constant, objective = self._objective(seen)
                self._train(objective, steps, f"held out {part + 1} of {parts}")
                constants |= dict(zip(names, constant.loss(self.preferences.at(unseen)).tolist(), strict=True))
                for shrinkage in SHRINKAGES:
                    losses = self._losses(objective, unseen, constant, shrinkage)
                    by_choice[steps, shrinkage] |= dict(zip(names, losses, strict=True))
        return constants, by_choice

    def _split(self, part: int, parts: int) -> tuple[Tensor, Tensor]:
        """The pairs none of whose LoRAs is of a part, and those both of whose LoRAs are, by number."""
        ours, theirs = (_parts(side, parts) for side in (self.judged.contents, self.judged.styles))
        of_pair = [(ours[pair.content] == part, theirs[pair.style] == part) for pair in self.judged.pairs]
        seen = [number for number, held in enumerate(of_pair) if not any(held)]
        unseen = [number for number, held in enumerate(of_pair) if all(held)]
        return torch.tensor(seen, dtype=torch.long), torch.tensor(unseen, dtype=torch.long)

    def _objective(self, pairs: Tensor) -> tuple[Constant, BalancePreference]:
        """The best constant of some pairs, and the training on them that starts there."""
        preferences = self.preferences.at(pairs)
        constant = Constant.best(preferences)
        features = [self.features[int(pair)] for pair in pairs]
        return constant, BalancePreference(
            deepcopy(self.head), features, preferences, constant, min(self.options.pairs, len(features))
        )

    def _train(
        self,
        objective: BalancePreference,
        steps: int,
        title: str,
        checkpoint: Path | None = None,
        makings: Mapping[str, object] | None = None,
    ) -> None:
        schedule = schedule_of(replace(self.options, steps=steps))
        train(objective, schedule, checkpoint, title=title, makings=makings, accelerator=self.accelerator)

    @torch.no_grad()
    def _losses(self, objective: BalancePreference, pairs: Tensor, constant: Constant, shrinkage: float) -> list[float]:
        """The loss of each pair, over its groups, by a head as it is when it is shrunk."""
        head = deepcopy(objective.head).cpu()
        shrink(head, constant.balance, shrinkage)
        sharpness = objective.log_sharpness.detach().cpu().exp()
        losses = []
        for pair in pairs:
            balances = head.balances(self.features[int(pair)])
            groups = self.preferences.at(pair.expand(len(balances)))
            losses.append(float(groups.loss(balances, sharpness).mean()))
        return losses

    def _name(self, pair: int) -> tuple[str, str]:
        one = self.judged.pairs[pair]
        return str(one.content), str(one.style)


@torch.no_grad()
def shrink(head: BalanceHead, constant: Tensor, kept: float) -> None:
    """Keep so much of what a head says beyond a constant (2,): its last layer is linear."""
    device = head.output.bias.device
    head.output.weight *= kept
    head.output.bias.copy_(constant.to(device) + kept * (head.output.bias - constant.to(device)))


def _parts(concepts: Sequence[Concept], parts: int) -> list[int]:
    """The part of each LoRA: its file alone decides which come together."""
    order = sorted(range(len(concepts)), key=lambda at: sha256(concepts[at].adapter.sha256.encode()).digest())
    places = {number: place % parts for place, number in enumerate(order)}
    return [places[number] for number in range(len(concepts))]
