"""Which preset a critic is: by its name, its repository, or the name a server has for it."""

from __future__ import annotations

import re

from judge.critics.critic import CriticError
from judge.critics.presets.preset import CriticPreset
from judge.critics.presets.table import PRESETS
from judge.pair_questions import PAIRS, PairPrompts
from judge.questions import PAPER, Prompts
from lorarar.util.suggestion import did_you_mean

#: What names of weights in other numbers, and of their files, end in.
_NUMBERS = re.compile(r"[-_.](?:fp8|nvfp4|bf16|awq|gptq|bnb|int[48]|[48]bit|q\d\w*|gguf|dynamic)$")


def find_preset(name: str) -> CriticPreset:
    """The preset of that name.

    Raises:
        CriticError: there is none.
    """
    if name not in PRESETS:
        near = did_you_mean(name, PRESETS)
        raise CriticError(f"no preset {name[:80]}; accepted are {', '.join(PRESETS)} (lorarar judge critics){near}")
    return PRESETS[name]


def preset_of(critic: str) -> CriticPreset | None:
    """The preset that a critic of that name is, whoever serves it and in whatever numbers; None where it is none."""
    name = _plain(critic)
    for preset in PRESETS.values():
        if name in (preset.name, _plain(preset.repository)):
            return preset
    return None


def singles_prompts(critic: str, named: Prompts | None = None, preset: str = "") -> Prompts:
    """How a critic is asked about a picture and a reference.

    Args:
        critic: by the name that its verdicts have.
        named: those that the user names; None: the critic's own, which are the paper's where it has none.
        preset: whose prompts apply, where the user says so; empty: those of the critic's name.

    Raises:
        CriticError: it is not asked so, or there is no such preset.
    """
    own = _own(critic, preset)
    if own is not None and own.singles is None:
        others = ", ".join(one.name for one in PRESETS.values() if one.singles)
        raise CriticError(
            f"{own.name} answers pairs alone: accepted is --protocol pairwise, or another critic such as {others}"
        )
    if named is not None:
        return named
    return own.singles if own is not None and own.singles is not None else PAPER


def pair_prompts(critic: str, preset: str = "") -> PairPrompts:
    """How a critic is asked which of two pictures is better; as ``singles_prompts``, and raises as it does."""
    own = _own(critic, preset)
    if own is not None and own.pairs is None:
        others = ", ".join(one.name for one in PRESETS.values() if one.pairs)
        raise CriticError(f"{own.name} answers no pairs; accepted are singles, or another critic such as {others}")
    return PAIRS if own is None or own.pairs is None else own.pairs


def _own(critic: str, preset: str) -> CriticPreset | None:
    return find_preset(preset) if preset else preset_of(critic)


def _plain(name: str) -> str:
    """The last part of a critic's name, in small letters, without what says in which numbers its weights are."""
    plain = name.rstrip("/").rpartition("/")[2].partition("@")[0].lower().replace(":", "-")
    while (shorter := _NUMBERS.sub("", plain)) != plain:
        plain = shorter
    return plain
