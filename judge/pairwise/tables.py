"""The figures of pairs in a sentence, as tables for people and as records for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judge.non_answers import in_kinds
from judge.pairwise.figures import PairFigures, PairTally
from judge.pairwise.outcomes import FACETS
from judge.verdicts import judge_record
from lorarar.util.formatting import count, in_words, interval, number, percent
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.holm import APART
from lorarar.util.tables import Table

STRENGTHS = (
    "Log strengths by Davidson's model (Bradley-Terry with ties), with a mean of 0; in both: better in one aspect and "
    "not worse in the other. In brackets: 95 % bootstrap intervals, subjects and styles drawn anew."
)
TALLIES = (
    "Each cell was asked about in both orders; where the orders disagree it is a tie. Preference: wins minus losses; p "
    "is Holm's, over every two methods. Alike: the same picture, a tie without asking. Pairs are not mixed with "
    "verdicts on single pictures."
)


def sentence(figures: PairFigures) -> str:
    """What came out of the pairs, in a sentence."""
    both = [one for one in figures.tallies if one.facet == "both" and one.decided]
    told = [_told(one) for one in both if _is_apart(one)]
    level = [" from ".join(one.methods) for one in both if not _is_apart(one)]
    if not both:
        return "In pairs, no cell has an outcome."
    if not told:
        none = f"{in_words(both[0].methods)} are not" if len(both) == 1 else "no two methods are"
        return f"In pairs, {none} told apart."
    rest = f"; not told apart: {', '.join(level)}" if level else ""
    return f"In pairs, {in_words(told)}{rest}."


def _is_apart(tally: PairTally) -> bool:
    return tally.preference is not None and tally.preference.p is not None and tally.preference.p < APART


def _told(tally: PairTally) -> str:
    """Of two methods that are told apart: which is better, and by how much."""
    better, other = tally.methods
    difference = tally.preference
    if difference is not None and difference.value < 0:
        better, other, difference = other, better, difference.negative
    return f"{better} is better than {other} by {interval(difference)}"


def tables(figures: PairFigures, collection: str) -> list[Table]:
    """The strengths of methods, and what became of every two."""
    return [_strengths(figures, collection), _tallies(figures, collection)]


def _strengths(figures: PairFigures, collection: str) -> Table:
    rows = [
        [method, *(interval(figure, signed=True) for figure in reversed(strengths_of(figures, method).values()))]
        for method in figures.methods
    ]
    notes = [*([figures.brand] if figures.brand else []), f"{who(figures)} {STRENGTHS}"]
    notes += [f"No strengths in {facet}: {why}." for facet, why in why_not(figures).items()]
    head = ["method", *(f"strength, {facet}" for facet in reversed(FACETS))]
    return Table(f"Strengths in pairs: {collection}", head, rows, notes)


def _tallies(figures: PairFigures, collection: str) -> Table:
    head = ["method", "against", "in", "better", "tie", "worse", "preference", "p"]
    head += ["orders disagree", "alike", "unclear"]
    rows = []
    for one in figures.tallies:
        disagree = "" if one.disagreements is None else str(one.disagreements)
        p = number(one.preference.p if one.preference else None, 3)
        counts = [str(one.wins), str(one.ties), str(one.losses), interval(one.preference, signed=True), p]
        rows.append([*one.methods, one.facet, *counts, disagree, str(one.identical), str(one.unclear)])
    notes = [TALLIES, *order_notes(figures)]
    notes += [
        f"{method} has no picture of {count(cells, 'cell')} of others." for method, cells in figures.missing.items()
    ]
    notes += [f"Unclear: {in_kinds(figures.reasons)}"] if figures.reasons else []
    return Table(f"Every two methods in pairs: {collection}", head, rows, notes, names=3)


def who(figures: PairFigures) -> str:
    """Whose choices they are, and who else's there are."""
    others = in_words([f"{judge.critic} (--judge {judge.id})" for judge in figures.others])
    too = f" {others} compared these pictures too; choices in pairs are reported by one." if others else ""
    return f"Asked in pairs: {figures.judge.critic} with the prompts {figures.judge.prompts}.{too}"


def order_notes(figures: PairFigures) -> list[str]:
    """How often the two orders disagree, and how often the picture that is shown first is chosen."""
    notes = []
    if figures.disagreements is not None:
        notes.append(f"The two orders disagree in {_percent(figures.disagreements)} of questions.")
    if figures.shown_first is not None:
        share = _percent(figures.shown_first)
        notes.append(
            f"Of the choices that are no tie, {share} took the picture that was shown first (50% without bias)."
        )
    return notes


def _percent(share: Interval) -> str:
    """A share with its interval, where drawing anew says anything of it."""
    return f"{share.value:.0%}" if share.low == share.high else percent(share)


def strengths_of(figures: PairFigures, method: str) -> dict[str, Interval | None]:
    """A method's log strength in each facet; None where there is no fit."""
    return {facet: figures.strengths[facet].by_method.get(method) for facet in FACETS}


def why_not(figures: PairFigures) -> dict[str, str]:
    """Why there are no strengths, by what they would be in."""
    return {facet: one.why_not for facet, one in figures.strengths.items() if one.why_not}


def record(figures: PairFigures) -> dict[str, Any]:
    """The figures as JSON has them."""
    return {
        "judge": {"judge": str(figures.judge.id), "prompts": figures.judge.prompts, **figures.judge.identity},
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
        "tallies": list(map(tally_record, figures.tallies)),
        **_intervals({"orders_disagree": figures.disagreements, "shown_first": figures.shown_first}),
        "missing": dict(figures.missing),
        "reasons": dict(figures.reasons),
    }


def tally_record(tally: PairTally) -> dict[str, Any]:
    """What became of two methods in one facet, as a flat record."""
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
        "orders_disagree": tally.disagreements,
        "identical": tally.identical,
        "unclear": tally.unclear,
    }


def _intervals(figures: Mapping[str, Interval | None]) -> dict[str, float | None]:
    return {key: value for name, figure in figures.items() for key, value in Interval.record(name, figure).items()}
