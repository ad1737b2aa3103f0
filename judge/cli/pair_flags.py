"""Flags of commands that draw a pair by several methods and have its pictures judged: ``try`` and ``tune``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from judge.cli.options import critic_flags
from judge.default_judges import CRITIC
from lorarar.cli.concept_flags import concept_flags
from lorarar.cli.drawing_flags import check_words, checked_by
from lorarar.cli.flags import Flag
from lorarar.cli.method_flags import method_flags

OWN = {"method", "seed", "device", "dtype", "batch"}  # flags of the commands' own, which mean their pictures

PairPromptOption = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        help="What to draw; {content} and {style} stand for what the LoRAs were trained with.",
        show_default="{content} in {style}",
        callback=checked_by(check_words),
    ),
]


def of_methods(panel: str = "") -> list[Flag]:
    """The options of all methods; under a heading of their own where one is named."""
    flags = [flag for flag in method_flags() if flag.option.name not in OWN]
    return [Flag(flag.option, panel, flag.several) for flag in flags] if panel else flags


def of_concepts() -> list[Flag]:
    """What is said of both LoRAs."""
    return [Flag(flag.option, "What is said of the LoRAs") for flag in concept_flags()]


def of_critics(panel: str) -> list[Flag]:
    """The critic with its settings, under a heading."""
    taken = {flag.option.name for flag in of_methods()} | OWN
    return [Flag(flag.option, panel, flag.several) for flag in critic_flags() if flag.option.name not in taken]


def some_of(given: Mapping[str, Any], flags: list[Flag]) -> dict[str, Any]:
    """Those of the given values that are of these flags."""
    return {flag.option.name: given[flag.option.name] for flag in flags if flag.option.name in given}


def with_device(given: Mapping[str, Any], device: str | None) -> dict[str, Any]:
    """What is said of critics, and where they run if all of them run here.

    Raises:
        CriticError: there is no such critic.
    """
    from judge.critics.settings import kind_of
    from judge.judges import critic_names

    runs_here = all(kind_of(name).takes("device") for name in critic_names(given.get(CRITIC, ())))
    return {**given, "device": device if runs_here else None}
