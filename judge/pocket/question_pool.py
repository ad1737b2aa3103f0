"""Many questions in random words, made once, from which every step draws a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from judge.pocket.pair_sequences import ANYRES, PAD, PairSequences
from judge.pocket.question_tokens import QuestionSampler
from lorarar.pocket.training_pictures import STYLE_FAMILIES
from lorarar.training.loop import pick

ANYRES_SHARE = 0.25  # of batches, which show pictures as image mode anyres does


class QuestionPool:
    """As many questions about the subject as about all style families together, in both image modes."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, of_family: int, seed: int = 0) -> None:
        """Make the questions.

        Args:
            tokenizer: of the critic.
            of_family: questions about each style family.
            seed: of the random words.
        """
        generator, sampler = torch.Generator().manual_seed(seed), QuestionSampler(tokenizer)
        families = len(STYLE_FAMILIES) - 1
        self.counts = torch.tensor([families * of_family, *[of_family] * families])
        self.starts = self.counts.cumsum(0) - self.counts
        questions = [
            sampler.sample("style" if family else "subject", family, generator)
            for family, count in zip(STYLE_FAMILIES, self.counts.tolist(), strict=True)
            for _ in range(count)
        ]
        self.pad, self.anyres = (PairSequences.of(questions, layout) for layout in (PAD, ANYRES))

    def sample(self, families: Tensor, generator: torch.Generator) -> PairSequences:
        """A question about each style family (N,), 0 for the subject; all in one image mode."""
        anyres = float(torch.rand((), generator=generator)) < ANYRES_SHARE
        places = pick(generator, int(self.counts.max()), len(families)) % self.counts[families]
        return (self.anyres if anyres else self.pad).take(self.starts[families] + places)
