"""Balanced pairs of pictures with hard negatives, for questions about subject and style."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from judge.pocket.bank import Bank
from judge.pocket.labelled_rows import LabelledRows, draw_one
from lorarar.pocket.styles import StyleParams
from lorarar.pocket.training_pictures import STYLE_FAMILIES, distance
from lorarar.training.loop import pick

STYLES = 0.45  # share of pairs that are asked about the style
SAME = 0.56  # share of pairs that are the same: over half, since held-out pairs look less alike than what is learnt
UNLIKE = 0.2  # smallest distance, in the most different knob, of two looks that are not the same style
NEAR, FAR = 0.5, 0.4  # shares of negatives that are of the same kind and of another; the rest are plain


@dataclass(frozen=True)
class PairBatch:
    """Pairs of a bank's rows, pair by pair."""

    families: Tensor  # (N,) the style family asked about; 0 where the subject is
    references: Tensor  # (N,) rows of the bank
    tests: Tensor  # (N,) rows of the bank
    same: Tensor  # (N,) whether the right answer is yes


class Pairs:
    """Random pairs from a bank: about half of them of the same subject or style."""

    def __init__(self, bank: Bank) -> None:
        designs, classes = torch.from_numpy(bank.designs), torch.from_numpy(bank.classes)
        looks, families = torch.from_numpy(bank.looks), torch.from_numpy(bank.families)
        self.designs, self.classes, self.looks, self.families = designs, classes, looks, families
        self.plain_rows = torch.nonzero(looks == 0).flatten()
        self.of_design, self.of_look = LabelledRows(designs), LabelledRows(looks)
        self.plain = LabelledRows(designs[self.plain_rows], self.plain_rows)
        self.class_of = classes[self.of_design.rows[self.of_design.starts]]
        self.family_of = families[self.of_look.rows[self.of_look.starts]]
        self.designs_of_class, self.looks_of_family = LabelledRows(self.class_of), LabelledRows(self.family_of)
        knobs = [StyleParams.from_knobs(row) for row in bank.knobs]
        self.unlike = torch.tensor([[distance(one, other) >= UNLIKE for other in knobs] for one in knobs])

    def sample(self, size: int, generator: torch.Generator) -> PairBatch:
        """``size`` pairs, some about the subject, the others about the style of a random family."""
        families = 1 + pick(generator, len(STYLE_FAMILIES) - 1, size)
        same = torch.rand(size, generator=generator) < SAME
        about_style = torch.rand(size, generator=generator) < STYLES
        subjects, styles = self.subjects(same, generator), self.styles(families, same, generator)
        references, tests = torch.where(about_style, styles, subjects)
        return PairBatch(families.where(about_style, 0), references, tests, same)

    def subjects(self, same: Tensor, generator: torch.Generator) -> Tensor:
        """Plain pictures of designs, and any pictures (2, N) of them or of others, often of their class."""
        designs = pick(generator, len(self.class_of), len(same))
        elsewhere = (designs + 1 + pick(generator, len(self.class_of) - 1, len(same))) % len(self.class_of)
        others = self.designs_of_class.draw_other(designs, self.class_of[designs], generator)
        hard = (others != designs) & (torch.rand(len(same), generator=generator) < NEAR)
        shown = torch.where(same, designs, others.where(hard, elsewhere))
        return torch.stack([self.plain.draw(designs, generator), self.of_design.draw(shown, generator)])

    def styles(self, families: Tensor, same: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures in looks of families (N,), and pictures (2, N) in the same or others, often of their family."""
        looks = self.looks_of_family.draw(families, generator)
        of_family = self.family_of == families[:, None]
        unlike, elsewhere = self.unlike[looks] & of_family, ~of_family & (self.family_of > 0)
        chance = torch.rand(len(same), generator=generator)
        near = unlike.any(1) & (chance < NEAR)
        others = draw_one(unlike, generator).where(near, draw_one(elsewhere, generator))
        others = others.where(chance < NEAR + FAR, 0)
        rows = [self.of_look.draw(labels, generator) for labels in (looks, looks.where(same, others))]
        return torch.stack(rows)


class EasyPairs(Pairs):
    """Pairs in which one thing decides: one plain picture or two classes; one look or two families."""

    def __init__(self, bank: Bank) -> None:
        super().__init__(bank)
        self.plain_of_class = LabelledRows(self.classes[self.plain_rows], self.plain_rows)
        self.of_family = LabelledRows(self.families)

    def subjects(self, same: Tensor, generator: torch.Generator) -> Tensor:
        """Plain pictures, and the same ones or plain pictures (2, N) of other classes."""
        references = self.plain_rows[pick(generator, len(self.plain_rows), len(same))]
        present = self.plain_of_class.present
        others = present[draw_one(present != self.classes[references][:, None], generator)]
        return torch.stack([references, references.where(same, self.plain_of_class.draw(others, generator))])

    def styles(self, families: Tensor, same: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures in families (N,), and pictures (2, N) in the same looks or in other families."""
        references = self.of_family.draw(families, generator)
        present = self.of_family.present
        others = present[draw_one((present != families[:, None]) & (present > 0), generator)]
        tests = self.of_look.draw(self.looks[references], generator)
        return torch.stack([references, tests.where(same, self.of_family.draw(others, generator))])
