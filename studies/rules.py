"""The rules of a study: what is fixed when it is made, so that nobody can choose it after the votes are in.

Raters see nothing of them: they are in no packet and not in the study's digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

from studies.errors import StudyError

Pairing = Literal["independent", "seed"]
PAIRINGS: tuple[Pairing, ...] = ("independent", "seed")


@dataclass(frozen=True)
class StudyRules:
    """The rules by which a study is reported; the default, which older studies have, leaves nobody out.

    Raises:
        StudyError: a number is out of bounds.
    """

    most_failed_checks: int | None = None  # a rater who fails more attention checks is left out
    least_seconds: float | None = None  # one whose median answer is faster is left out
    least_repeats_alike: float | None = None  # one who answers a smaller share of repeats alike is left out
    exclude_small_pictures: bool = False  # votes on pictures that were shown too small are left out
    finished_only: bool = False  # raters who did not answer every trial are left out
    #: Two methods are equivalent where each is comparable or better in more than this share of the votes.
    margin: float | None = None
    #: The one figure that was named before voting: ``preference``, ``comparable`` (or better; of the method named
    #: first), ``shown`` (of an absolute study: subject and style), or a metric, whose Pearson r with people it is.
    primary: str = ""
    pairing: Pairing = "independent"  # how pictures of two methods are put side by side: drawn apart, or by their seed

    def __post_init__(self) -> None:
        _check("most-failed-checks", self.most_failed_checks, 0, 1000)
        _check("least-seconds", self.least_seconds, 0, 3600)
        _check("least-repeats-alike", self.least_repeats_alike, 0, 1)
        _check("margin", self.margin, 0, 1)
        if self.margin in (0, 1):
            raise StudyError(f"the margin is {self.margin:g}; accepted is a share between 0 and 1, like 0.5")

    @property
    def exclusion_words(self) -> dict[str, str]:
        """What is left out, in words, by the name of the rule."""
        failed = "an attention check" if self.most_failed_checks == 0 else "more than {} of the attention checks"
        texts = {
            "most_failed_checks": f"raters who fail {failed}",
            "least_seconds": "raters whose median answer takes less than {:g} s",
            "least_repeats_alike": "raters who answer less than {:.0%} of the repeats alike",
            "exclude_small_pictures": "votes on pictures that were shown too small to be judged",
            "finished_only": "raters who did not answer everything",
        }
        values = {name: getattr(self, name) for name in texts}
        return {
            name: texts[name].format(value)
            for name, value in values.items()
            if value is not None and value is not False
        }

    @property
    def exclusions(self) -> list[str]:
        """What is left out, a rule a line, in words."""
        return list(self.exclusion_words.values())

    @property
    def words(self) -> list[str]:
        """All rules in words, a rule a line."""
        left_out = ", ".join(self.exclusions)
        return [
            f"primary figure {self.primary or 'not named'}",
            f"left out are {left_out}" if left_out else "nobody is left out",
            *([f"equivalent where comparable or better in more than {self.margin:.0%}"] if self.margin else []),
        ]

    def record(self) -> dict[str, Any]:
        """The rules as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Drawing:
    """What happened when a study's pictures were drawn, which nobody could see in its items."""

    pairs: int = 0  # subject-style pairs that the collection has pictures of
    identical: int = 0  # comparisons left out because both methods made the same picture
    unpaired: int = 0  # items, of a study that pairs by seed, whose pictures have different seeds

    def record(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return asdict(self)


def accepted_primaries(kind: str, metrics: Sequence[str]) -> list[str]:
    """What can be named as the primary figure of a study of this kind, the default first.

    Args:
        kind: ``ab`` or ``absolute``.
        metrics: the names of all metrics, MARS2 first.
    """
    return ["preference", "comparable", *metrics] if kind == "ab" else [*metrics, "shown"]


def _check(name: str, value: float | None, least: float, most: float) -> None:
    """Raise StudyError unless a number is within bounds."""
    if value is not None and not (isfinite(value) and least <= value <= most):
        raise StudyError(f"--{name} is {value:g}; accepted are {least:g} to {most:g}")
