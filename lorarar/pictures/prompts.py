"""The grammar of prompts: content is named by a rare token ("a sks dog"), style described after the last "in"."""

from __future__ import annotations

import re

from lorarar.pictures.rare_words import is_rare

RARE_TOKEN = "sks"  # the paper's "[c]"
PAIR_PROMPT = "{content} in {style}"  # of a merge of both

_SHOWN = r"(?:(?:an?\s+|the\s+)?(?:photo|photograph|picture|image)\s+of\s+)?"
_WORD = r"([^\s,.;:]+)"
_CLASS = r"\s+(?!(?:and|at|by|from|in|is|near|of|on|or|under|with)\b)\w"  # where a class of things begins
#: ``a ohwx dog``, ``a photo of a ohwx dog``: the word between an article and a class.
_AFTER_ARTICLE = re.compile(rf"{_SHOWN}(?:an?|the)\s+{_WORD}{_CLASS}", re.IGNORECASE)
_TWO_WORDS = re.compile(rf"{_SHOWN}(?!(?:an?|the)\s){_WORD}{_CLASS}[^\s,.;:]*", re.IGNORECASE)  # ``ohwx dog``


def token_in(prompt: str) -> str:
    """The rare token of a content's prompt: what it has before the class of things; empty where it has none.

    It is ``sks`` wherever that stands; else a rare word (``is_rare``) between an article and a class, ``a ohwx dog on
    grass``, or before the class in a prompt of two words, ``ohwx dog``. ``a red dog`` has none; ``a crocheted dog`` is
    read amiss, which is why a token can be said.
    """
    prompt = prompt.strip()
    if re.search(_whole(RARE_TOKEN), prompt):
        return RARE_TOKEN
    match = _AFTER_ARTICLE.match(prompt) or _TWO_WORDS.fullmatch(prompt)
    return match[1] if match and is_rare(match[1]) else ""


def style_phrase(prompt: str, words: str = "") -> str:
    """What a prompt calls its style: ``watercolor style`` of ``a house in watercolor style``.

    It begins at ``words`` where these are said and the prompt has them, so that a description may contain an "in";
    else after the last "in". A prompt without an "in" describes the style as a whole.
    """
    if words and (start := prompt.rfind(words)) >= 0:
        return prompt[start:]
    return prompt.rpartition(" in ")[2]


def pair_prompt(content: str, style: str, template: str = PAIR_PROMPT, words: str = "") -> str:
    """The prompt for a content and a style at once: the content's own prompt, and the style's phrase.

    Args:
        content: the prompt of the content LoRA.
        style: the prompt of the style LoRA.
        template: what both are put into, at ``{content}`` and ``{style}``.
        words: of the style, where they are said.
    """
    return template.replace("{content}", content).replace("{style}", style_phrase(style, words))


PLACES = ("{content}", "{style}")


def unknown_places(template: str) -> list[str]:
    """The places of a template, in curly brackets, that neither a content nor a style is put into."""
    return [place for place in re.findall(r"\{[^{}]*\}", template) if place not in PLACES]


def places_of(template: str) -> list[str]:
    """The places of a template that a content or a style is put into."""
    return [place for place in PLACES if place in template]


def prompt_name(template: str) -> str:
    """A template as the name of its pictures: on one line and without commas, which part names in lists."""
    return " ".join(template.replace(",", " ").split())


def without_token(prompt: str, token: str = RARE_TOKEN, instead: str = "") -> str:
    """A prompt without its rare token: ``a sks dog`` is ``a dog``; with other words instead of it if they are given."""
    if not token:
        return " ".join(prompt.split())
    return " ".join(re.sub(_whole(token), lambda _: f" {instead} ", prompt).split())


def _whole(token: str) -> str:
    """A pattern of a token that stands on its own, not within a word."""
    return rf"(?<!\w){re.escape(token)}(?!\w)"
