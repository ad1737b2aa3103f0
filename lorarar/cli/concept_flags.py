"""Flags that say the prompts and the pictures of the two LoRAs of one pair."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.cli.flags import Flag
from lorarar.util.errors import MethodError
from lorarar.util.options import Option

if TYPE_CHECKING:
    from lorarar.pictures.description import Description

SIDES = ("content", "style")


def _options(side: str) -> tuple[Option, Option]:
    prompt = f"Prompt that the {side} LoRA was trained with."
    images = f"Pictures that the {side} LoRA was trained on: a folder, or one."
    return (
        Option(f"{side}_prompt", prompt, "text", default_words="NAME.txt, its header, trainers' tags"),
        Option(f"{side}_images", images, "file", default_words="the folder NAME", words="PATH"),
    )


_OPTIONS = {option.name: option for side in SIDES for option in _options(side)}
NAMES = tuple(_OPTIONS)


def concept_flags() -> list[Flag]:
    """The flags."""
    from lorarar.merging.methods.table import optimised

    panel = f"What is said of the LoRAs, for {', '.join((*optimised(), 'ssr'))}"
    return [Flag(option, panel) for option in _OPTIONS.values()]


def given_pair(given: Mapping[str, Any]) -> tuple[Description, Description]:
    """What flags say of content and of style.

    Raises:
        MethodError: a prompt is empty.
    """
    return _given(given, "content"), _given(given, "style")


def _given(given: Mapping[str, Any], side: str) -> Description:
    from lorarar.pictures.description import Description

    prompt, images = given.get(f"{side}_prompt"), given.get(f"{side}_images")
    if prompt is not None and not prompt.strip():
        raise MethodError(f"--{side}-prompt is {prompt!r}; accepted is the prompt that the LoRA was trained with")
    return Description(prompt, None if images is None else Path(images)).known_from("flags")
