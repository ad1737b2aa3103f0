"""A check as plain rows, one a sentence or a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from judge.checks.check import Check

FINDING = "finding"  # the name of the rows that are sentences
Scalar = float | str | None


@dataclass(frozen=True)
class CheckFigure:
    """A sentence of a check, which has a grade, or a number that it goes by."""

    critic: str
    prompts: str
    part: str  # order, wording, controls, …; empty: the sample's MARS2
    name: str  # ``finding``, or where the number stands in ``lorarar judge check --json``: ``subject.rate``
    value: Scalar
    low: float | None = None  # bounds of the 95 % interval
    high: float | None = None
    n: int | None = None
    grade: str = ""  # of a finding: good, fair or poor; empty where there is nothing to grade


def check_figures(check: Check) -> Iterator[CheckFigure]:
    """The rows of a check: the sample's MARS2, then each part's findings and its numbers."""
    common = CheckFigure(critic=check.critic["critic"], prompts=check.prompts, part="", name="average", value=None)
    yield replace(common, value=check.average, n=check.pictures)
    for part, result in asdict(check)["results"].items():
        for finding in check.findings:
            if finding.part == part:
                yield replace(common, part=part, name=FINDING, value=finding.text, grade=finding.grade)
        yield from _numbers(replace(common, part=part), "", result)


def _numbers(common: CheckFigure, name: str, value: Any) -> Iterator[CheckFigure]:
    """The numbers in a part's result, however deep; an interval is one, with its bounds."""
    if isinstance(value, Mapping) and {"value", "low", "high"} <= value.keys():
        figure, low, high = (value[key] for key in ("value", "low", "high"))
        yield replace(common, name=name, value=figure, low=low, high=high, n=value.get("n"))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(common, _joined(name, str(key)), inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, inner in enumerate(value):
            own = inner.get("name") if isinstance(inner, Mapping) else None
            yield from _numbers(common, _joined(name, str(own or number)), inner)
    elif isinstance(value, (int, float)):
        yield replace(common, name=name, value=value)


def _joined(outer: str, inner: str) -> str:
    return f"{outer}.{inner}" if outer else inner
