"""The training of Pocket's critic on pairs of pictures.

What is trained is the projector and the language model; the tower stays. Each pair is asked about in
several wordings, and in each with either picture first. The loss is cross-entropy of Yes against No where a verdict is
read, and, to learn to compare at all, from where the second picture begins; the disagreement of a pair's verdicts, also
on blends of pictures, whose answer nobody knows but which is one answer all the same; and a little for any word but
these two. It starts with easy pairs, in which one thing decides; from hard ones alone nothing was learnt in thousands
of questions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast

from judge.pocket.augmentations import BankPictures
from judge.pocket.pair_reader import PairReader, verdicts
from judge.pocket.pairs import Pairs
from judge.pocket.question_pool import QuestionPool
from judge.pocket.vision_tower import tower_tokens
from lorarar.pocket.image_tensors import to_tensor
from lorarar.training.loop import Objective

WORDINGS = 2  # in which each pair is asked about
BLENDED = 0.25  # share of pairs whose test picture is a blend of two, so that the answer is anything
EARLY, AGREEMENT, SILENCE = 0.5, 2.0, 0.1  # weights of the early loss, the disagreement, and other words than Yes or No
UNKNOWN = -100  # the answer to a blend, which cross-entropy passes over
OF_ASKING = 3  # tensors of a batch for each wording


class CriticObjective(Objective):
    """Cross-entropy and agreement of the answers' first tokens over questions on pairs of the bank's pictures."""

    def __init__(
        self,
        critic: LlavaOnevisionForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        pairs: Pairs,
        pictures: BankPictures,
        questions: QuestionPool,
        size: int,
    ) -> None:
        """Take the critic and what it is asked.

        Args:
            critic: whose projector and language model are trained.
            tokenizer: of the critic.
            pairs: of rows of the bank.
            pictures: of the bank.
            questions: in that tokenizer's tokens.
            size: pairs of a batch, each asked about 2 * WORDINGS times.
        """
        super().__init__()
        self.critic, self.size = critic, size
        self.pictures, self.pairs, self.questions = pictures, pairs, questions
        self.reader = PairReader(critic, tokenizer)

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """The projector and the language model."""
        return {name: p for name, p in self.critic.named_parameters() if "vision_tower" not in name}

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """References and tests, each test's share of the next one, whether they are the same, and the askings.

        Pictures are (2, N, 3, H, W), shares and answers (N,). An answer is 0, 1, or UNKNOWN where a test is blended
        with the next pair's, token by token. An asking is what ``PairSequences`` holds, one question for each pair.
        """
        pairs = self.pairs.sample(self.size, generator)
        pixels = self.pictures.painted_pixels(pairs.references), self.pictures.sample_pixels(pairs.tests, generator)
        blends = torch.rand(self.size, generator=generator) < BLENDED
        blends[0] = False  # one answer at least is known in every batch
        shares = (0.3 + 0.4 * torch.rand(self.size, generator=generator)).masked_fill(~blends, 0)
        answers = pairs.same.long().masked_fill(blends, UNKNOWN)
        askings = [self.questions.sample(pairs.families, generator) for _ in range(WORDINGS)]
        flat = [part for asking in askings for part in (asking.codes, asking.starts, asking.lengths)]
        parts = (torch.stack([to_tensor(part) for part in pixels]), shares, answers, *flat)
        return tuple(part.to(self.critic.device) for part in parts)

    def forward(self, pictures: Tensor, shares: Tensor, answers: Tensor, *askings: Tensor) -> Tensor:
        """The loss of one batch."""
        pair = self._see(pictures)
        references, tests = pair[0], torch.lerp(pair[1], pair[1].roll(1, 0), shares[:, None, None].to(pair.dtype))
        both = torch.stack([torch.cat([references, tests]), torch.cat([tests, references])])  # either first
        losses: list[Tensor] = []
        answered: list[Tensor] = []
        for number in range(0, len(askings), OF_ASKING):
            codes, starts, lengths = (part.repeat(2, *[1] * (part.ndim - 1)) for part in askings[number:][:OF_ASKING])
            states = self.reader.states(codes, both)
            logits = self.reader.answer(states)
            silence = self.reader.silence(verdicts(states, lengths))
            losses.append(asking_loss(logits, starts, lengths, answers.repeat(2)) + SILENCE * silence)
            answered += verdicts(logits, lengths).chunk(2)
        return torch.stack(losses).mean() + AGREEMENT * disagreement(torch.stack(answered))

    @torch.no_grad()
    def _see(self, pictures: Tensor) -> Tensor:
        """The tower's tokens (2, N, T, D) of pictures (2, N, 3, H, W)."""
        seen = tower_tokens(self.critic.model.vision_tower, pictures.flatten(0, 1))
        return seen.view(*pictures.shape[:2], *seen.shape[1:])


def asking_loss(logits: Tensor, starts: Tensor, lengths: Tensor, answers: Tensor) -> Tensor:
    """Cross-entropy where the verdicts are read, and EARLY times its mean from where the second pictures begin.

    Args:
        logits: of No and Yes (N, L, 2).
        starts: of the second pictures (N,).
        lengths: up to where the verdicts are read (N,).
        answers: 0, 1 or UNKNOWN (N,), some of them known.
    """
    places = torch.arange(logits.shape[1], device=logits.device)
    early = (places >= starts[:, None]) & (places < lengths[:, None] - 1) & (answers != UNKNOWN)[:, None]
    known = answers[:, None].expand(early.shape).where(early, UNKNOWN)
    last = F.cross_entropy(verdicts(logits, lengths), answers, ignore_index=UNKNOWN)
    return last + EARLY * F.cross_entropy(logits.flatten(0, 1), known.flatten(), ignore_index=UNKNOWN)


def disagreement(verdicts: Tensor) -> Tensor:
    """Mean squared difference of any two verdicts' probabilities of Yes, from logits (K, N, 2) of No and Yes.

    It is bounded: a divergence that grows with the logits made a critic that was sure of itself unlearn to tell
    anything apart before it learnt new words.
    """
    return 2 * verdicts.softmax(2)[..., 1].var(0).mean()
