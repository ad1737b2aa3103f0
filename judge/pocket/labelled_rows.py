"""Rows of a bank by a label of theirs, to draw many at once: training draws hundreds of pairs a step."""

from __future__ import annotations

import torch
from torch import Tensor


class LabelledRows:
    """Rows sorted by label, where each label's rows begin, and how many there are."""

    def __init__(self, labels: Tensor, rows: Tensor | None = None) -> None:
        """Take labels (N,), of all rows in order or, with ``rows`` (N,), of those."""
        order = torch.argsort(labels, stable=True)
        self.rows = order if rows is None else rows[order]
        self.counts = torch.bincount(labels)
        self.starts = self.counts.cumsum(0) - self.counts
        self.places = torch.empty_like(order)  # of each labelled row among its label's, in the order of ``labels``
        self.places[order] = torch.arange(len(order)) - self.starts[labels[order]]

    @property
    def present(self) -> Tensor:
        """The labels that have rows, in order."""
        return torch.nonzero(self.counts).flatten()

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """A row (N,) of each of these labels (N,), all of which have some; drawn with replacement."""
        return self.rows[self.starts[labels] + _below(self.counts[labels], generator)]

    def draw_other(self, items: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Another row with the label of each item (N,), and the item itself where it is the only one.

        Only where all rows are labelled, in order.
        """
        others = self.counts[labels] - 1
        steps = 1 + _below(others.clamp(min=1), generator)
        places = (self.places[items] + steps) % self.counts[labels]
        return self.rows[self.starts[labels] + places]


def draw_one(allowed: Tensor, generator: torch.Generator) -> Tensor:
    """One of the allowed columns (N, K) of each row; the first column where none is."""
    return (torch.rand(allowed.shape, generator=generator) * allowed).argmax(1)


def _below(counts: Tensor, generator: torch.Generator) -> Tensor:
    """A random number below each count (N,)."""
    return (torch.rand(len(counts), generator=generator, dtype=torch.float64) * counts).long()
