"""Questions as the critic's language model reads them, and the random ones that it is trained with."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from judge.critics.chat import chat
from judge.pocket.generated_wordings import generate_wording
from judge.pocket.word_noise import disturb
from judge.pocket.wordings import WORDINGS
from judge.questions import CODE, PAPER, Aspect, Prompts
from lorarar.training.loop import pick

PAPER_SHARE, CODE_SHARE, OWN_SHARE = 0.15, 0.05, 0.05  # of questions in the paper's words, the code's, the written ones
DISTURBED = 0.6  # share of questions with noise in their words
SEEDS = 2**31  # of a question's words


@dataclass(frozen=True)
class QuestionTokens:
    """A question's tokens before, between and behind its two pictures."""

    before: Tensor
    between: Tensor
    after: Tensor


class QuestionSampler:
    """Questions in random words: the paper's, the authors' code's, some written ones and generated ones."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer

    def tokens(self, prompts: Prompts, aspect: Aspect, style: str) -> QuestionTokens:
        """A question in given words; ``style`` is the family asked about, empty for a subject."""
        parts = chat(prompts.render(aspect, style), prompts.system).split("<image>")
        ids = (self.tokenizer(part, add_special_tokens=False).input_ids for part in parts)
        return QuestionTokens(*(torch.tensor(part, dtype=torch.long) for part in ids))

    def sample(self, aspect: Aspect, style: str, generator: torch.Generator) -> QuestionTokens:
        """A question in random words, some of them disturbed."""
        rng = random.Random(int(pick(generator, SEEDS, 1)))
        prompts = _wording(rng)
        if rng.random() < DISTURBED:
            prompts = replace(prompts, subject=disturb(prompts.subject, rng), style=disturb(prompts.style, rng))
        return self.tokens(prompts, aspect, style)


def _wording(rng: random.Random) -> Prompts:
    """The paper's wording, the authors' code's, a written one or a generated one, as often as their shares say."""
    chance = rng.random()
    if chance < PAPER_SHARE:
        return PAPER
    if chance < PAPER_SHARE + CODE_SHARE:
        return CODE
    if chance < PAPER_SHARE + CODE_SHARE + OWN_SHARE:
        return rng.choice(WORDINGS)
    return generate_wording(rng)
