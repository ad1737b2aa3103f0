"""Which critic and which backbones judge a picture where none is named: those of its base's family.

Pictures whose family has none of its own, or whose base is not known, have the one that an environment variable names,
``$LORARAR_CRITIC``, ``$LORARAR_CLIP`` or ``$LORARAR_DINO``, else the customary one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.brand import bases_in_words, knows
from judge.errors import JudgeError
from lorarar.families import FAMILIES
from lorarar.util.grouping import group_by

if TYPE_CHECKING:
    from judge.targets import Target

PRESET = "preset"  # of a critic, whose prompts it has
CRITIC = "critic"  # the part of a family beside its backbones, whose parts are named by their kind


def variable(part: str) -> str:
    """The environment variable that names a default for a part: ``LORARAR_CLIP`` for ``clip``."""
    return f"LORARAR_{part.upper()}"


def by_variable(part: str, judge: str) -> str:
    """How a message about a judge begins that an environment variable names: with that; empty of any other judge."""
    return f"${variable(part)}: " if os.environ.get(variable(part)) == judge else ""


def default_judge(part: str, base: str, customary: str) -> str:
    """The judge of pictures of a base where none is named.

    Args:
        part: ``critic``, or a kind of backbones.
        base: what generated them; empty where that is not known.
        customary: the judge where neither the family nor the user has another.
    """
    family = FAMILIES.get(base)
    if family is not None and part in family.parts:
        return base
    return os.environ.get(variable(part)) or customary


def by_judge(part: str, targets: Sequence[Target], named: str | None, customary: str) -> dict[str, list[Target]]:
    """Targets by the judge they have: the one that is ``named`` for all, else each its default.

    Raises:
        JudgeError: a default knows other pictures alone, which takes that it is named.
    """
    if named is not None:
        return {named: list(targets)}
    judges = {base: default_judge(part, base, customary) for base in dict.fromkeys(target.base for target in targets)}
    members = group_by(targets, lambda target: judges[target.base])
    for judge, of_judge in members.items():
        strange = {target.base for target in of_judge if not knows(judge, target.base)}
        if strange:
            raise JudgeError(
                f"${variable(part)} is {judge}, which knows pictures of {judge} alone; these are "
                f"{bases_in_words(sorted(strange))}: name another there, or this one with --{part}"
            )
    return {judge: list(of_judge) for judge, of_judge in members.items()}
