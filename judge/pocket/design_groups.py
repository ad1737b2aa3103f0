"""Groups of a bank's pictures that share a design, for contrast; many of a batch's designs share a class."""

from __future__ import annotations

import torch
from torch import Tensor

from judge.pocket.bank import Bank
from judge.pocket.labelled_rows import LabelledRows

EACH = 2  # pictures of a design, or of a look, in a batch


class DesignGroups:
    """Rows of a bank by design: one plain picture of each and one that may be in any look."""

    def __init__(self, bank: Bank, count: int) -> None:
        """Take the bank; ``count`` designs are a batch."""
        self.count = count
        designs, plain = torch.from_numpy(bank.designs), torch.from_numpy(bank.looks) == 0
        self.rows = LabelledRows(designs)
        self.plain = LabelledRows(designs[plain], torch.nonzero(plain).flatten())
        self.kinds = torch.from_numpy(bank.classes)[self.rows.rows[self.rows.starts]]

    def sample(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows (EACH * count,) of the bank, and their designs."""
        designs = near(self.kinds, self.count, generator)
        rows = torch.stack([self.plain.draw(designs, generator), self.rows.draw(designs, generator)], 1)
        return rows.flatten(), designs.repeat_interleave(EACH)


class LookGroups:
    """Rows of a bank by look, plain pictures aside."""

    def __init__(self, bank: Bank, count: int) -> None:
        """Take the bank; ``count`` looks are a batch."""
        self.count = count
        self.rows = LabelledRows(torch.from_numpy(bank.looks))
        self.kinds = torch.from_numpy(bank.families)[self.rows.rows[self.rows.starts]][1:]  # without plain

    def sample(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows (EACH * count,) of the bank, and their looks."""
        looks = (1 + near(self.kinds, self.count, generator)).repeat_interleave(EACH)
        return self.rows.draw(looks, generator), looks


def near(kinds: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``count`` distinct items, many of them sharing a kind: hard negatives."""
    order = torch.randperm(len(kinds), generator=generator)
    chosen = kinds[order[: count // 4]]
    others = order[torch.isin(kinds[order], chosen)][: (3 * count) // 4]
    rest = order[~torch.isin(order, others)][: count - len(others)]
    return torch.cat([others, rest])
