"""Groups of a bank's pictures that share a design, for contrast; many of a batch's designs share a class."""

from __future__ import annotations

import torch
from torch import Tensor

from judge.pocket.bank import Bank
from lorarar.training.loop import pick

EACH = 2  # pictures of a design, or of a look, in a batch


class DesignGroups:
    """Rows of a bank by design: one plain picture of each and one that may be in any look."""

    def __init__(self, bank: Bank, count: int) -> None:
        """Take the bank; ``count`` designs are a batch."""
        self.count = count
        looks, classes = torch.from_numpy(bank.looks), torch.from_numpy(bank.classes)
        self.rows = rows_by_label(torch.from_numpy(bank.designs))
        self.plain = [rows[looks[rows] == 0] for rows in self.rows]
        self.kinds = torch.stack([classes[rows[0]] for rows in self.rows])

    def sample(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows (EACH * count,) of the bank, and their designs."""
        designs = near(self.kinds, self.count, generator)
        rows = [
            torch.cat([some(self.plain[d], 1, generator), some(self.rows[d], EACH - 1, generator)]) for d in designs
        ]
        return torch.cat(rows), designs.repeat_interleave(EACH)


class LookGroups:
    """Rows of a bank by look, plain pictures aside."""

    def __init__(self, bank: Bank, count: int) -> None:
        """Take the bank; ``count`` looks are a batch."""
        self.count = count
        families = torch.from_numpy(bank.families)
        self.rows = rows_by_label(torch.from_numpy(bank.looks))[1:]  # without plain
        self.kinds = torch.stack([families[rows[0]] for rows in self.rows])

    def sample(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows (EACH * count,) of the bank, and their looks."""
        looks = near(self.kinds, self.count, generator)
        return torch.cat([some(self.rows[k], EACH, generator) for k in looks]), looks.repeat_interleave(EACH)


def rows_by_label(labels: Tensor) -> list[Tensor]:
    """The rows of each label, in the order of labels (N,)."""
    return [torch.nonzero(labels == label).flatten() for label in range(int(labels.max()) + 1)]


def some(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``count`` of the rows, drawn with replacement."""
    return rows[pick(generator, len(rows), count)]


def near(kinds: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``count`` distinct items, many of them sharing a kind: hard negatives."""
    order = torch.randperm(len(kinds), generator=generator)
    chosen = kinds[order[: count // 4]]
    others = order[torch.isin(kinds[order], chosen)][: (3 * count) // 4]
    rest = order[~torch.isin(order, others)][: count - len(others)]
    return torch.cat([others, rest])
