"""Balanced pairs of pictures with hard negatives, for questions about subject and style."""

from __future__ import annotations

import torch
from torch import Tensor

from judge.pocket.bank import Bank
from judge.pocket.design_groups import rows_by_label
from judge.questions import Aspect
from lorarar.pocket.styles import StyleParams
from lorarar.pocket.training_pictures import STYLE_FAMILIES, distance
from lorarar.training.loop import pick

SAME = 0.56  # share of pairs that are the same: over half, since held-out pairs look less alike than what is learnt
UNLIKE = 0.2  # smallest distance, in the most different knob, of two looks that are not the same style


class Pairs:
    """Random pairs from a bank: about half of them of the same subject or style."""

    def __init__(self, bank: Bank) -> None:
        self.designs, self.classes = torch.from_numpy(bank.designs), torch.from_numpy(bank.classes)
        self.families, self.looks = torch.from_numpy(bank.families), torch.from_numpy(bank.looks)
        self.of_design, self.of_look = rows_by_label(self.designs), rows_by_label(self.looks)
        self.class_of = torch.stack([self.classes[rows[0]] for rows in self.of_design])
        self.family_of = torch.stack([self.families[rows[0]] for rows in self.of_look])
        looks = [StyleParams.from_knobs(knobs) for knobs in bank.knobs]
        self.unlike = torch.tensor([[distance(one, other) >= UNLIKE for other in looks] for one in looks])

    def sample(self, aspect: Aspect, size: int, generator: torch.Generator) -> tuple[int, Tensor, Tensor, Tensor]:
        """``size`` pairs for one question.

        Returns:
            The style family asked about (0 for subject), the rows of references and of tests, and whether they are
            the same (size,).
        """
        same = torch.rand(size, generator=generator) < SAME
        if aspect == "subject":
            pairs = [self._subject(bool(yes), generator) for yes in same]
            return 0, *_columns(pairs), same
        family = 1 + int(pick(generator, len(STYLE_FAMILIES) - 1, 1))
        pairs = [self._style(family, bool(yes), generator) for yes in same]
        return family, *_columns(pairs), same

    def _subject(self, same: bool, generator: torch.Generator) -> tuple[int, int]:
        """A plain picture of a design, and any picture of it or of another, often one of its class."""
        design = int(pick(generator, len(self.of_design), 1))
        rows = self.of_design[design]
        reference = _one(rows[self.looks[rows] == 0], generator)
        if same:
            return reference, _one(rows, generator)
        others = self.class_of == self.class_of[design]
        others[design] = False
        if not bool(others.any()) or float(torch.rand((), generator=generator)) > 0.5:
            others = torch.ones_like(others)
            others[design] = False
        other = _one(torch.nonzero(others).flatten(), generator)
        return reference, _one(self.of_design[other], generator)

    def _style(self, family: int, same: bool, generator: torch.Generator) -> tuple[int, int]:
        """A picture in a look, and one in that look or another, often one of its family."""
        looks = torch.nonzero(self.family_of == family).flatten()
        look = _one(looks, generator)
        reference = _one(self.of_look[look], generator)
        if same:
            return reference, _one(self.of_look[look], generator)
        chance = float(torch.rand((), generator=generator))
        near = looks[self.unlike[look][looks]]
        if chance < 0.5 and len(near):
            return reference, _one(self.of_look[_one(near, generator)], generator)
        if chance < 0.9:
            far = torch.nonzero((self.family_of != family) & (self.family_of > 0)).flatten()
            return reference, _one(self.of_look[_one(far, generator)], generator)
        return reference, _one(self.of_look[0], generator)


class EasyPairs(Pairs):
    """Pairs in which one thing decides: one plain picture or two classes; one look or two families."""

    def _subject(self, same: bool, generator: torch.Generator) -> tuple[int, int]:
        plain = self.of_look[0]
        reference = _one(plain, generator)
        others = plain[self.classes[plain] != self.classes[reference]]
        return reference, reference if same else _one(others, generator)

    def _style(self, family: int, same: bool, generator: torch.Generator) -> tuple[int, int]:
        reference = _one(torch.nonzero(self.families == family).flatten(), generator)
        if same:
            return reference, _one(self.of_look[int(self.looks[reference])], generator)
        return reference, _one(torch.nonzero((self.families != family) & (self.families > 0)).flatten(), generator)


def _one(rows: Tensor, generator: torch.Generator) -> int:
    return int(rows[pick(generator, len(rows), 1)])


def _columns(pairs: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    references, tests = torch.tensor(pairs).T
    return references, tests
