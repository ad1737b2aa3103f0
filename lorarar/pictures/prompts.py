"""The grammar of prompts: content is named by a rare token ("a sks dog"), style described after the last "in"."""

from __future__ import annotations

import re

RARE_TOKEN = "sks"  # the paper's "[c]"
PAIR_PROMPT = "{content} in {style}"  # of a merge of both


def style_words(prompt: str) -> str:
    """The style that a prompt describes, after its last "in": ``watercolor style`` of ``a house in watercolor style``.

    A prompt without an "in" describes the style as a whole.
    """
    return prompt.rpartition(" in ")[2]


def pair_prompt(content: str, style: str, template: str = PAIR_PROMPT) -> str:
    """The prompt for a content and a style at once: the content's own prompt, and the style's words.

    Args:
        content: the prompt of the content LoRA.
        style: the prompt of the style LoRA.
        template: what both are put into, at ``{content}`` and ``{style}``.
    """
    return template.replace("{content}", content).replace("{style}", style_words(style))


def without_token(prompt: str, token: str = RARE_TOKEN) -> str:
    """A prompt without its rare token: ``a sks dog`` is ``a dog``."""
    return " ".join(re.sub(rf"(?<!\w){re.escape(token)}(?!\w)", " ", prompt).split())
