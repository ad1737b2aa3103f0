"""The training of Pocket's critic on pairs of pictures.

What is trained is the projector and the language model; the tower stays. Each pair is asked about twice, in other
words, order and image mode, or in the same words in the other order. The loss is cross-entropy of Yes against No where
a verdict is read, and, to learn to compare at all, from where the second picture begins; and the disagreement of the
two verdicts, also on blends of pictures, whose answer nobody knows but which is one answer all the same. It starts
with easy pairs, in which one thing decides; from hard ones alone nothing was learnt in thousands of questions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast

from judge.pocket.augmentations import BankPictures
from judge.pocket.pair_reader import ANYRES, PAD, PairReader
from judge.pocket.pairs import Pairs
from judge.pocket.question_tokens import QuestionSampler, QuestionTokens
from judge.pocket.vision_tower import tower_tokens
from judge.questions import ASPECTS, Aspect
from lorarar.pocket.image_tensors import to_tensor
from lorarar.pocket.training_pictures import STYLE_FAMILIES
from lorarar.training.loop import Objective

STYLES = 0.4  # share of steps that ask about the style
ORDER_ALONE = 0.3  # share of steps whose two askings differ in nothing but the order
SWAPPED = 0.4  # share of steps whose two askings differ in the order too: which picture comes first should not matter
ANYRES_SHARE = 0.25  # share of askings that show pictures as image mode anyres does
BLENDED = 0.25  # share of pairs whose test picture is a blend of two, so that the answer is anything
EARLY, AGREEMENT = 0.5, 1.0  # weights of the early loss and of the disagreement
UNKNOWN = -100  # the answer to a blend, which cross-entropy passes over


class CriticObjective(Objective):
    """Cross-entropy and agreement of the answers' first tokens over questions on pairs of the bank's pictures."""

    def __init__(
        self,
        critic: LlavaOnevisionForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        pairs: Pairs,
        pictures: BankPictures,
        size: int,
    ) -> None:
        """Take the critic and what it is asked.

        Args:
            critic: whose projector and language model are trained.
            tokenizer: of the critic.
            pairs: of rows of the bank.
            pictures: of the bank.
            size: pairs of a batch, each asked about twice.
        """
        super().__init__()
        self.critic, self.size, self.pictures, self.pairs = critic, size, pictures, pairs
        self.reader = PairReader(critic, tokenizer)
        self.questions = QuestionSampler(tokenizer)

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """The projector and the language model."""
        return {n: p for n, p in self.critic.named_parameters() if "vision_tower" not in n}

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """References and tests, each test's share of the next one, whether they are the same, and two askings.

        Pictures are (2, N, 3, H, W), shares and answers (N,). An answer is 0, 1, or UNKNOWN where a test is blended
        with the next pair's, token by token. An asking is a question's three parts, the order of the two pictures, and
        the layout of an image mode.
        """
        aspect = ASPECTS[int(torch.rand((), generator=generator) < STYLES)]
        family, references, tests, same = self.pairs.sample(aspect, self.size, generator)
        pixels = self.pictures.painted[references], self.pictures.sample_pixels(tests, generator)  # references are true
        blends = torch.rand(self.size, generator=generator) < BLENDED
        blends[0] = False  # one answer at least is known in every batch
        shares = (0.3 + 0.4 * torch.rand(self.size, generator=generator)).masked_fill(~blends, 0)
        answers = same.long().masked_fill(blends, UNKNOWN)
        askings = self._askings(aspect, STYLE_FAMILIES[family], generator)
        parts = (torch.stack([to_tensor(part) for part in pixels]), shares, answers, *(p for a in askings for p in a))
        return tuple(part.to(self.critic.device) for part in parts)

    def forward(self, pictures: Tensor, shares: Tensor, answers: Tensor, *askings: Tensor) -> Tensor:
        """The loss of one batch."""
        with torch.no_grad():
            seen = tower_tokens(self.critic.model.vision_tower, pictures.flatten(0, 1))
            tokens = seen.view(*pictures.shape[:2], *seen.shape[1:])
            tokens[1] = torch.lerp(tokens[1], tokens[1].roll(1, 0), shares[:, None, None])
        first, second = (self._ask(tokens, *asking) for asking in (askings[:5], askings[5:]))
        losses = [
            F.cross_entropy(logits[:, -1], answers)
            + EARLY * F.cross_entropy(logits[:, :-1].flatten(0, 1), answers.repeat_interleave(logits.shape[1] - 1))
            for logits in (first, second)
        ]
        return (losses[0] + losses[1]) / 2 + AGREEMENT * disagreement(first[:, -1], second[:, -1])

    def _askings(self, aspect: Aspect, style: str, generator: torch.Generator) -> list[tuple[Tensor, ...]]:
        """Two random askings about the same pairs."""
        order = torch.randperm(2, generator=generator)
        one, other = (self._asking(aspect, style, generator) for _ in range(2))
        chance = float(torch.rand((), generator=generator))
        if chance < ORDER_ALONE:
            other = one
        swapped = chance < ORDER_ALONE + SWAPPED
        return [(*one[0], order, one[1]), (*other[0], order.flip(0) if swapped else order, other[1])]

    def _asking(
        self, aspect: Aspect, style: str, generator: torch.Generator
    ) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
        """A question in random words and a random image mode's layout."""
        question = self.questions.sample(aspect, style, generator)
        anyres = float(torch.rand((), generator=generator)) < ANYRES_SHARE
        return (question.before, question.between, question.after), ANYRES if anyres else PAD

    def _ask(
        self, tokens: Tensor, before: Tensor, between: Tensor, after: Tensor, order: Tensor, layout: Tensor
    ) -> Tensor:
        """Logits (N, L, 2) of No and Yes from where the second picture begins to where the verdict is read."""
        first, second = tokens[order]
        return self.reader.read(QuestionTokens(before, between, after), first, second, layout)


def disagreement(one: Tensor, other: Tensor) -> Tensor:
    """Mean squared difference of two verdicts' probabilities of Yes, from logits (N, 2) of No and Yes each.

    It is bounded: a divergence that grows with the logits made a critic that was sure of itself unlearn to tell
    anything apart before it learnt new words.
    """
    return (one.softmax(1) - other.softmax(1))[:, 1].square().mean()
