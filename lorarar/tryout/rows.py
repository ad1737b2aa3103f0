"""Which methods a tryout draws by, and what each of the others lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lorarar.bench.plan import MethodRow
from lorarar.families import Base
from lorarar.merging.methods import METHODS
from lorarar.merging.methods.method import NO_MERGES, SIDES
from lorarar.merging.methods.table import unknown_method
from lorarar.util.errors import HypernetError, MethodError
from lorarar.util.formatting import in_words
from lorarar.util.grouping import group_by
from lorarar.util.options import Option, OptionError, check_values

TRAINING = "pictures of both LoRAs and minutes of training: lorarar merge --method NAME, lorarar bench run"
JOINT_TRAINING = "pictures of both and minutes of training: lorarar train joint, lorarar bench run"
MORE = "a way to merge more than two LoRAs"
PROMPTS = "the prompts of both LoRAs, which nothing says: --content-prompt and --style-prompt do"


@dataclass(frozen=True)
class TryoutRows:
    """The rows of a tryout, and of the methods that cannot be tried what each lacks."""

    rows: tuple[MethodRow, ...]
    lacking: Mapping[str, str]  # by method
    ignored: Mapping[str, Sequence[str]]  # options that are given, with those methods that do not take them


def tryout_rows(
    base: Base, chosen: Sequence[str], options: Mapping[str, Any], *, has_prompts: bool, loras: int = len(SIDES)
) -> TryoutRows:
    """The rows of the methods that need nothing but the files, each with those of the options that it takes.

    Args:
        base: that draws.
        chosen: methods by name; none: all that there are.
        options: of methods, as flags give them.
        has_prompts: whether the prompts of both LoRAs are known.
        loras: how many are merged.

    Raises:
        MethodError: there is no such method, one that is chosen lacks something, an option is not accepted or no
            method takes it, or nothing is left to draw.
        HypernetError: a file that is given is no hypernetwork.
    """
    names = list(dict.fromkeys(chosen)) or [*METHODS, *NO_MERGES]
    for name in names:
        _check_name(name)
    takers = {option: [name for name in names if option in _options_of(name)] for option in options}
    for option, its in takers.items():
        if not its:
            raise MethodError(f"--{option.replace('_', '-')} is taken by none of {', '.join(names)}; leave it out")
    rows, lacking = [], {}
    for name in names:
        row = _row(name, {option: value for option, value in options.items() if name in takers[option]})
        if why := _lack(row, base, has_prompts=has_prompts, loras=loras):
            lacking[name] = why
        else:
            rows.append(row)
    if chosen and lacking:
        raise MethodError("; ".join(f"{name} lacks {why}" for name, why in lacking.items()))
    if not rows:
        raise MethodError(f"nothing can be drawn: {'; '.join(f'{name} lacks {why}' for name, why in lacking.items())}")
    methods = [row.method for row in rows]
    ignored = {option: [name for name in methods if name not in its] for option, its in takers.items()}
    return TryoutRows(tuple(rows), lacking, {option: left for option, left in ignored.items() if left})


def lacking_words(lacking: Mapping[str, str]) -> list[str]:
    """What is said of methods that are not tried, those together that lack the same."""
    by_need = group_by(lacking, lambda name: lacking[name])
    return [f"Not tried: {in_words(names)}, for want of {need}" for need, names in by_need.items()]


def ignored_words(ignored: Mapping[str, Iterable[str]]) -> list[str]:
    """What is said of options that some methods do not take."""
    return [
        f"Drawn without --{option.replace('_', '-')}, which they do not take: {in_words(list(names))}"
        for option, names in ignored.items()
    ]


def _check_name(name: str) -> None:
    accepted = [*METHODS, *NO_MERGES]
    if name not in accepted:
        raise MethodError(unknown_method(name, accepted))


def _options_of(name: str) -> Mapping[str, Option]:
    return METHODS[name].all_options if name in METHODS else {}


def _row(name: str, options: Mapping[str, Any]) -> MethodRow:
    try:
        check_values(f"method {name}", _options_of(name), options)
    except OptionError as error:
        raise MethodError(str(error)) from None
    return MethodRow.model_validate({"method": name, **options})


def _lack(row: MethodRow, base: Base, *, has_prompts: bool, loras: int) -> str:
    """What a row needs beside the files and is not there; empty where that is nothing."""
    if loras > len(SIDES) and not (row.merges and METHODS[row.method].loras == "many"):
        return MORE
    if row.trains:
        return TRAINING if row.merges else JOINT_TRAINING
    if not row.merges:
        return ""
    try:
        recipe = row.recipe(base, loras=loras)
    except (MethodError, HypernetError) as error:
        if any(_options_of(row.method)[name].type == "file" for name in row.model_extra or ()):
            raise  # of a file that is given
        return f"what it takes: {error}"
    return PROMPTS if recipe.method.calibrated and not has_prompts else ""
