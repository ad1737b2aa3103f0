"""Prompts of text encoders that take a fixed number of tokens, of which nothing is cut off unsaid."""

from __future__ import annotations

from typing import Any

from lorarar.util.errors import DrawingError

LONGEST = 512  # tokens that the pipelines of transformers have encoded


def count_tokens(tokenizer: Any, text: str) -> int:
    """The tokens of a text with all that the tokenizer puts around it."""
    return len(tokenizer(text, truncation=False, verbose=False).input_ids)


def count_asked(tokenizer: Any, prompt: str, *, thinking: bool) -> int:
    """The tokens of a prompt within a conversation, as a language model is asked with it.

    Args:
        tokenizer: the model's.
        prompt: what the user says.
        thinking: whether the model may think before it would answer.
    """
    talk = [{"role": "user", "content": prompt}]
    return count_tokens(
        tokenizer,
        tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True, enable_thinking=thinking),
    )


def check_length(prompt: str, tokens: int, longest: int = LONGEST) -> None:
    """Refuse a prompt of which the beginning alone would be seen.

    Raises:
        DrawingError: the message says by how much.
    """
    if tokens > longest:
        raise DrawingError(
            f"the prompt {prompt[:40] + ' …'!r} has {tokens} tokens, and this base's text encoder takes {longest}; "
            "shorten it"
        )
