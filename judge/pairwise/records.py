"""The figures of pairs as records for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judge.pairwise.figures import PairFigures, PairTally
from judge.pairwise.outcomes import FACETS
from judge.pairwise.tables import sentence, sides, why_not
from judge.verdicts import judge_record
from lorarar.util.statistics.bootstrap import Interval


def record(figures: PairFigures) -> dict[str, Any]:
    """The figures as JSON has them; of a jury each member's too."""
    jury = figures.jury
    members = zip(jury.agreement.names, jury.members, strict=True) if jury else ()
    own = [{"name": name, **record(member)} for name, member in members]
    return {
        "judge": judge_record(figures.judge),
        "source": figures.source.name,
        "others": [judge_record(judge) for judge in figures.others],
        "sentence": sentence(figures),
        "brand": figures.brand,
        "strengths": [
            {
                "method": method,
                **_intervals({facet: figures.strengths[facet].by_method.get(method) for facet in FACETS}),
            }
            for method in figures.methods
        ],
        "strengths_undefined": why_not(figures),
        "tallies": [tally_record(one, majority=jury is not None) for one in figures.tallies],
        **_intervals(
            {"no_majority" if jury else "orders_disagree": figures.disagreements, "shown_first": figures.shown_first}
        ),
        "missing": dict(figures.missing),
        "reasons": dict(figures.reasons),
        **({"jury": {"members": own, **jury.agreement.record()}} if jury else {}),
    }


def csv_rows(figures: PairFigures) -> list[dict[str, Any]]:
    """What became of every two methods as flat records; of a jury with whose they are, the majority's first."""
    if figures.jury is None:
        return list(map(tally_record, figures.tallies))
    return [
        {"judge": name, **tally_record(one, majority=own.jury is not None)}
        for name, own in sides(figures)
        for one in own.tallies
    ]


def tally_record(tally: PairTally, *, majority: bool = False) -> dict[str, Any]:
    """What became of two methods in one facet, by one critic or by the ``majority`` of a jury, as a flat record."""
    method, against = tally.methods
    return {
        "method": method,
        "against": against,
        "in": tally.facet,
        "wins": tally.wins,
        "ties": tally.ties,
        "losses": tally.losses,
        **Interval.record("preference", tally.preference),
        "p": tally.preference.p if tally.preference else None,
        "orders_disagree": None if majority else tally.disagreements,
        "no_majority": tally.disagreements if majority else None,
        "identical": tally.identical,
        "unclear": tally.unclear,
    }


def _intervals(figures: Mapping[str, Interval | None]) -> dict[str, float | None]:
    return {key: value for name, figure in figures.items() for key, value in Interval.record(name, figure).items()}
