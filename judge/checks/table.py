"""The one table of the check's parts: ours, then those of other packages by the entry points ``lorarar.checks``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from judge.checks.controls import ControlsPart
from judge.checks.guarded import GuardedPart
from judge.checks.order import OrderPart
from judge.checks.part import Part
from judge.checks.people import PeoplePart
from judge.checks.rated import RatingsPart
from judge.checks.settings import SettingsPart
from judge.checks.truth import TruthPart
from judge.checks.wording import WordingPart
from lorarar.util.registry import Registry

#: Keys of the check's JSON beside those of the parts, and the name of the ordinary questions.
TAKEN = ("critic", "prompts", "seed", "pictures", "of", "average", "tally", "results", "findings", "sample")


def _check(part: Part[Any, Any], _: Mapping[str, Part[Any, Any]]) -> None:
    """Refuse a part whose name no key of the JSON can be."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", part.name) or part.name in TAKEN:
        raise ValueError(f"its name is {part.name!r}; accepted are small letters, digits and _, none of {TAKEN}")


#: The parts in the order of the page; their names are the keys of the JSON.
PARTS: Registry[Part[Any, Any]] = Registry(
    "lorarar.checks",
    Part,  # type: ignore[type-abstract]
    (OrderPart(), WordingPart(), ControlsPart(), SettingsPart(), TruthPart(), PeoplePart(), RatingsPart()),
    _check,
    order=lambda part: part.order,
)


def parts() -> list[Part[Any, Any]]:
    """All parts for one check; what those of other packages do wrong is a finding of theirs."""
    return [part if name in PARTS.own else GuardedPart(part) for name, part in PARTS.items()]
