"""Where a verdict is read: the first answered token, Yes against No."""

from __future__ import annotations

from torch import Tensor
from transformers import PreTrainedTokenizerFast

from judge.critics.critic import CriticError


def spellings(word: str) -> list[str]:
    """How a word may stand at the beginning of an answer."""
    return [word, word.lower(), f" {word}", f" {word.lower()}"]


def answer_tokens(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """The tokens that are Yes and those that are No, in every spelling that is a single token.

    Raises:
        CriticError: a word has no such spelling; its first token alone would say nothing.
    """
    found = []
    for word in ("Yes", "No"):
        coded = [tokenizer(spelling, add_special_tokens=False).input_ids for spelling in spellings(word)]
        tokens = sorted({ids[0] for ids in coded if len(ids) == 1 and ids[0] != tokenizer.unk_token_id})
        if not tokens:
            raise CriticError(f"{tokenizer.name_or_path}: the tokenizer has no single token for {word}")
        found.append(tokens)
    yes, no = found
    return yes, no


def probabilities(logits: Tensor, yes: list[int], no: list[int]) -> list[float]:
    """Of Yes against No for rows of logits (N, vocabulary), all spellings taken together; NaN stays NaN."""
    lean = logits[:, yes].double().logsumexp(1) - logits[:, no].double().logsumexp(1)
    return [float(chance) for chance in lean.sigmoid()]
