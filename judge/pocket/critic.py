"""Pocket's critic: the LLaVA-OneVision architecture, small, and its training on pairs of pictures.

The tower's tokens are computed once and kept; what is trained is the projector and the language model, by
cross-entropy of Yes against No after the paper's prompts, the authors' code's and some more: where a verdict is read,
and, to learn to compare at all, from where the second picture begins. It starts with easy pairs, in which one thing
decides; from hard ones alone nothing was learnt in thousands of questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from judge.critics.chat import chat
from judge.pocket.bank import Bank
from judge.pocket.pairs import EasyPairs, Pairs
from judge.pocket.vision_tower import CONFIG as EYES
from judge.pocket.wordings import SHARES, WORDINGS
from judge.questions import PROMPTS, Aspect, Prompts
from lorarar.pocket.styles import PAINTERS
from lorarar.pocket.training_pictures import FAMILIES
from lorarar.training.loop import Objective, pick

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>")
VOCABULARY = 640
ASPECTS: tuple[Aspect, Aspect] = ("subject", "style")
STYLES = 0.3  # share of steps that ask about the style
SWAPPED = 0.35  # share of steps with the reference shown second: which comes first should not matter
ANYRES = 0.2  # share of steps that show pictures as image mode anyres does
THINNED = 0.3  # share of steps whose question lacks some words, so that no wording is learnt by heart
SPARED = 6  # tokens at a question's end that stay: where the answer begins
GRID = EYES.image_size // EYES.patch_size  # tokens a side of a picture


def new_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """A byte-level BPE over the prompts' words, written to ``folder``; Yes and No are one token each."""
    texts = [
        chat(prompts.render(aspect, family), prompts.system) + answer + "<|im_end|>"
        for prompts in PROMPTS.values()
        for family in PAINTERS
        for aspect in ("subject", "style")
        for answer in ("Yes", "No", "yes", "no")
    ]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left"
    )
    fast.save_pretrained(folder)
    return fast


def new_critic(tokenizer: PreTrainedTokenizerFast) -> LlavaOnevisionForConditionalGeneration:
    """An untrained critic."""
    text = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=448,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        initializer_range=0.08,  # the usual 0.02 is for wider models
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    )
    side = EYES.image_size
    config = LlavaOnevisionConfig(
        vision_config=EYES,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[a * side, b * side] for a in (1, 2) for b in (1, 2)],
        tie_word_embeddings=True,
    )
    return LlavaOnevisionForConditionalGeneration(config)


@dataclass(frozen=True)
class Asked:
    """A question's tokens before, between and behind its two pictures."""

    before: Tensor
    between: Tensor
    after: Tensor


class Judging(Objective):
    """Cross-entropy of the first answered token over questions on pairs of the bank's pictures."""

    def __init__(
        self,
        critic: LlavaOnevisionForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        bank: Bank,
        tokens: Tensor,
        size: int,
        easy: bool = False,
    ) -> None:
        """``tokens`` (2, N, T, D): the tower's, of painted and of decoded pictures; ``size`` questions a step."""
        super().__init__()
        self.critic, self.size, self.tokens = critic, size, tokens
        self.pairs = EasyPairs(bank) if easy else Pairs(bank)
        self.answers = torch.tensor([tokenizer.convert_tokens_to_ids(word) for word in ("No", "Yes")])
        self.asked = {}
        for words, prompts in enumerate(WORDINGS):
            self.asked[words, "subject", 0] = _tokens(tokenizer, prompts, "subject", "")
            for number, family in enumerate(FAMILIES[1:], start=1):
                self.asked[words, "style", number] = _tokens(tokenizer, prompts, "style", family)

    def trained(self) -> dict[str, torch.nn.Parameter]:
        return {n: p for n, p in self.critic.named_parameters() if "vision_tower" not in n}

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """A question's three parts, tokens (N, T, D) of the first and second pictures, answers (N,), image mode."""
        aspect = int(torch.rand((), generator=generator) < STYLES)
        words = int(torch.multinomial(torch.tensor(SHARES), 1, generator=generator))
        family, reference, test, same = self.pairs.draw(ASPECTS[aspect], self.size, generator)
        pictures = [
            self.tokens[0, reference].float(),  # references are true pictures
            self.tokens[pick(generator, 2, self.size), test].float(),
        ]
        if torch.rand((), generator=generator) < SWAPPED:
            pictures.reverse()
        asked = self.asked[words, ASPECTS[aspect], family]
        if torch.rand((), generator=generator) < THINNED:
            asked = thinned(asked, generator)
        anyres = torch.rand((), generator=generator) < ANYRES
        return asked.before, asked.between, asked.after, *pictures, self.answers[same.long()], anyres

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
        seen = [self.seen(tokens, bool(anyres)) for tokens in (first, second)]
        states = self.states(Asked(before, between, after), *seen)
        early = states[:, -(seen[1].shape[1] + len(after)) : -1] @ self.critic.lm_head.weight[self.answers].T
        same = (answer == self.answers[1]).long()
        beginning = F.cross_entropy(early.flatten(0, 1), same.repeat_interleave(early.shape[1]))
        return F.cross_entropy(self.critic.lm_head(states[:, -1]), answer) + beginning

    def logits(self, asked: Asked, reference: Tensor, test: Tensor, anyres: bool = False) -> Tensor:
        """First-token logits (N, vocabulary) of a question on pairs of the tower's tokens (N, T, D)."""
        states = self.states(asked, self.seen(reference, anyres), self.seen(test, anyres))
        logits: Tensor = self.critic.lm_head(states[:, -1])
        return logits

    def seen(self, tokens: Tensor, anyres: bool = False) -> Tensor:
        """The tower's tokens (N, T, D) of pictures as the language model reads them, the line breaks among them.

        Image mode pad shows the picture once and breaks the line; anyres shows it, and then again row by row.
        """
        model = self.critic.model
        projected: Tensor = model.multi_modal_projector(tokens)
        newline = model.image_newline.expand(len(tokens), 1, -1)
        if not anyres:
            return torch.cat([projected, newline], 1)
        rows = projected.view(len(tokens), GRID, GRID, -1)
        breaks = newline[:, None].expand(-1, GRID, -1, -1)
        return torch.cat([projected, torch.cat([rows, breaks], 2).flatten(1, 2)], 1)

    def states(self, asked: Asked, first: Tensor, second: Tensor) -> Tensor:
        """The language model's last states (N, length, D) on pictures as they are seen."""
        model = self.critic.model
        words = [model.get_input_embeddings()(part).expand(len(second), -1, -1) for part in vars(asked).values()]
        sequence = torch.cat([words[0], first, words[1], second, words[2]], 1)
        states: Tensor = model.language_model(inputs_embeds=sequence).last_hidden_state
        return states


def thinned(asked: Asked, generator: torch.Generator) -> Asked:
    """A question without some of its words, up to a half; special tokens and its end stay."""
    share = 0.5 * torch.rand((), generator=generator)

    def thin(part: Tensor, spared: int) -> Tensor:
        kept = (torch.rand(len(part), generator=generator) >= share) | (part < len(SPECIAL))
        kept[len(part) - spared :] = True
        return part[kept]

    return Asked(thin(asked.before, 0), thin(asked.between, 0), thin(asked.after, SPARED))


def _tokens(tokenizer: PreTrainedTokenizerFast, prompts: Prompts, aspect: Aspect, style: str) -> Asked:
    parts = chat(prompts.render(aspect, style), prompts.system).split("<image>")
    return Asked(*(torch.tensor(tokenizer(part, add_special_tokens=False).input_ids) for part in parts))
