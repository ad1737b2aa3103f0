"""The training of Pocket's critic on pairs of pictures.

The tower's tokens are computed once and kept; what is trained is the projector and the language model, by
cross-entropy of Yes against No after the paper's prompts, the authors' code's and some more: where a verdict is read,
and, to learn to compare at all, from where the second picture begins. It starts with easy pairs, in which one thing
decides; from hard ones alone nothing was learnt in thousands of questions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast

from judge.critics.chat import chat
from judge.pocket.critic import SPECIAL
from judge.pocket.pairs import Pairs
from judge.pocket.vision_tower import CONFIG as VISION_CONFIG
from judge.pocket.wordings import SHARES, WORDINGS
from judge.questions import ASPECTS, Aspect, Prompts
from lorarar.pocket.training_pictures import STYLE_FAMILIES
from lorarar.training.loop import Objective, pick

STYLES = 0.3  # share of steps that ask about the style
SWAPPED = 0.35  # share of steps with the reference shown second: which comes first should not matter
ANYRES = 0.2  # share of steps that show pictures as image mode anyres does
THINNED = 0.3  # share of steps whose question lacks some words, so that no wording is learnt by heart
SPARED = 6  # tokens at a question's end that stay: where the answer begins
GRID = VISION_CONFIG.image_size // VISION_CONFIG.patch_size  # tokens a side of a picture

TrainingQuestionKey = tuple[int, Aspect, int]  # index into WORDINGS, aspect, index into STYLE_FAMILIES


@dataclass(frozen=True)
class QuestionTokens:
    """A question's tokens before, between and behind its two pictures."""

    before: Tensor
    between: Tensor
    after: Tensor

    def thinned(self, generator: torch.Generator) -> QuestionTokens:
        """The question without some of its words, up to a half; special tokens and its end stay."""
        share = 0.5 * torch.rand((), generator=generator)

        def thin(part: Tensor, spared: int) -> Tensor:
            stay = (torch.rand(len(part), generator=generator) >= share) | (part < len(SPECIAL))
            stay[len(part) - spared :] = True
            return part[stay]

        return QuestionTokens(thin(self.before, 0), thin(self.between, 0), thin(self.after, SPARED))


def tokenize_questions(tokenizer: PreTrainedTokenizerFast) -> dict[TrainingQuestionKey, QuestionTokens]:
    """Every question in every wording; those about the subject name no style family, which is 0."""
    questions: dict[TrainingQuestionKey, QuestionTokens] = {}
    for wording, prompts in enumerate(WORDINGS):
        questions[wording, "subject", 0] = _tokens(tokenizer, prompts, "subject", "")
        for number, family in enumerate(STYLE_FAMILIES[1:], start=1):
            questions[wording, "style", number] = _tokens(tokenizer, prompts, "style", family)
    return questions


class CriticObjective(Objective):
    """Cross-entropy of the answer's first token over questions on pairs of the bank's pictures."""

    def __init__(
        self,
        critic: LlavaOnevisionForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        pairs: Pairs,
        tokens: Tensor,
        size: int,
    ) -> None:
        """Take the critic and what it is asked.

        Args:
            critic: whose projector and language model are trained.
            tokenizer: of the critic.
            pairs: of rows of the bank.
            tokens: (2, N, T, D), the tower's, of the bank's pictures as painted and as decoded.
            size: questions of a batch.
        """
        super().__init__()
        self.critic, self.size, self.tokens, self.pairs = critic, size, tokens, pairs
        self.answers = torch.tensor([tokenizer.convert_tokens_to_ids(word) for word in ("No", "Yes")])
        self.questions = tokenize_questions(tokenizer)

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """The projector and the language model."""
        return {n: p for n, p in self.critic.named_parameters() if "vision_tower" not in n}

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """A question's three parts, tokens (N, T, D) of the first and second pictures, answers (N,), image mode."""
        aspect = ASPECTS[int(torch.rand((), generator=generator) < STYLES)]
        wording = int(torch.multinomial(torch.tensor(SHARES), 1, generator=generator))
        family, reference, test, same = self.pairs.sample(aspect, self.size, generator)
        pictures = [
            self.tokens[0, reference].float(),  # references are true pictures
            self.tokens[pick(generator, 2, self.size), test].float(),
        ]
        if torch.rand((), generator=generator) < SWAPPED:
            pictures.reverse()
        question = self.questions[wording, aspect, family]
        if torch.rand((), generator=generator) < THINNED:
            question = question.thinned(generator)
        anyres = torch.rand((), generator=generator) < ANYRES
        return question.before, question.between, question.after, *pictures, self.answers[same.long()], anyres

    def forward(
        self,
        before: Tensor,
        between: Tensor,
        after: Tensor,
        first: Tensor,
        second: Tensor,
        answer: Tensor,
        anyres: Tensor,
    ) -> Tensor:
        """The loss of one batch: of the verdict, and of Yes against No from where the second picture begins."""
        embeddings = [self.embed_pictures(tokens, bool(anyres)) for tokens in (first, second)]
        states = self.states(QuestionTokens(before, between, after), *embeddings)
        early = states[:, -(embeddings[1].shape[1] + len(after)) : -1] @ self.critic.lm_head.weight[self.answers].T
        same = (answer == self.answers[1]).long()
        early_loss = F.cross_entropy(early.flatten(0, 1), same.repeat_interleave(early.shape[1]))
        return F.cross_entropy(self.critic.lm_head(states[:, -1]), answer) + early_loss

    def logits(self, question: QuestionTokens, reference: Tensor, test: Tensor, anyres: bool = False) -> Tensor:
        """First-token logits (N, vocabulary) of a question on pairs of the tower's tokens (N, T, D)."""
        states = self.states(question, self.embed_pictures(reference, anyres), self.embed_pictures(test, anyres))
        logits: Tensor = self.critic.lm_head(states[:, -1])
        return logits

    def embed_pictures(self, tokens: Tensor, anyres: bool = False) -> Tensor:
        """The tower's tokens (N, T, D) of pictures as the language model reads them, the line breaks among them.

        Image mode pad gives the picture once and breaks the line; anyres gives it, and then again row by row.
        """
        model = self.critic.model
        projected: Tensor = model.multi_modal_projector(tokens)
        newline = model.image_newline.expand(len(tokens), 1, -1)
        if not anyres:
            return torch.cat([projected, newline], 1)
        rows = projected.view(len(tokens), GRID, GRID, -1)
        breaks = newline[:, None].expand(-1, GRID, -1, -1)
        return torch.cat([projected, torch.cat([rows, breaks], 2).flatten(1, 2)], 1)

    def states(self, question: QuestionTokens, first: Tensor, second: Tensor) -> Tensor:
        """The language model's last states (N, length, D) on a question about embedded pictures."""
        model = self.critic.model
        before, between, after = (
            model.get_input_embeddings()(part).expand(len(second), -1, -1)
            for part in (question.before, question.between, question.after)
        )
        sequence = torch.cat([before, first, between, second, after], 1)
        states: Tensor = model.language_model(inputs_embeds=sequence).last_hidden_state
        return states


def _tokens(tokenizer: PreTrainedTokenizerFast, prompts: Prompts, aspect: Aspect, style: str) -> QuestionTokens:
    parts = chat(prompts.render(aspect, style), prompts.system).split("<image>")
    return QuestionTokens(*(torch.tensor(tokenizer(part, add_special_tokens=False).input_ids) for part in parts))
