"""Questions about two pictures as rows of codes, so that many questions of different lengths are read at once.

A code is a token's number, or, below zero, a place in what the tower gives of the two pictures: -1 is the first token
of the picture shown first. Rows are filled up at their ends, which a language model that looks back alone never sees
from where a verdict is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from judge.pocket.question_tokens import QuestionTokens
from judge.pocket.vision_tower import CONFIG as VISION_CONFIG

GRID = VISION_CONFIG.image_size // VISION_CONFIG.patch_size  # tokens a side of a picture
PLACES = GRID**2 + 1  # of a picture: its tokens, and a line break behind them
_BREAK = torch.tensor([GRID**2])
_ROWS = torch.arange(GRID**2).view(GRID, GRID)

#: Which tokens the language model reads of a picture, and in which order: image mode pad gives the picture and breaks
#: the line; anyres gives the picture, and then again row by row, each with a break.
PAD = torch.cat([_ROWS.flatten(), _BREAK])
ANYRES = torch.cat([_ROWS.flatten(), torch.cat([_ROWS, _BREAK.expand(GRID, 1)], 1).flatten()])


@dataclass(frozen=True)
class PairSequences:
    """Questions about two pictures, row by row."""

    codes: Tensor  # (N, L)
    starts: Tensor  # (N,) where the second picture begins
    lengths: Tensor  # (N,) up to where the verdict is read

    @classmethod
    def of(cls, questions: Sequence[QuestionTokens], layout: Tensor) -> PairSequences:
        """The questions with pictures in an image mode's layout, PAD or ANYRES."""
        rows = [_codes(question, layout) for question in questions]
        starts = [len(question.before) + len(layout) + len(question.between) for question in questions]
        codes = pad_sequence(rows, batch_first=True)
        return cls(codes, torch.tensor(starts), torch.tensor([len(row) for row in rows]))

    def take(self, rows: Tensor) -> PairSequences:
        """Some of the rows, in this order, no longer than the longest of them is."""
        lengths = self.lengths[rows]
        return PairSequences(self.codes[rows, : int(lengths.max())], self.starts[rows], lengths)


def _codes(question: QuestionTokens, layout: Tensor) -> Tensor:
    first, second = -1 - layout, -1 - PLACES - layout
    return torch.cat([question.before, first, question.between, second, question.after])
