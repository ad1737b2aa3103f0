"""The figures of pairs in a sentence, as tables for people and as records for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from judge.jury import MAJORITY, jury_flags
from judge.non_answers import in_kinds
from judge.pairwise.figures import PairFigures, PairTally
from judge.pairwise.jury import PairJury
from judge.pairwise.outcomes import FACETS
from lorarar.util.formatting import count, in_words, interval, number, percent
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.holm import APART
from lorarar.util.tables import Table

STRENGTHS = (
    "Log strengths by Davidson's model (Bradley-Terry with ties), with a mean of 0; in both: {in_both}. In brackets: "
    "95 % bootstrap intervals, subjects and styles drawn anew."
)
TALLIES = (
    "{how} Preference: wins minus losses; p is Holm's, over all that are compared. Pairs are not mixed with "
    "verdicts on single pictures."
)
MAJORITIES = (
    "Of an aspect of a cell counts what more than half of all critics say; where nothing is said by so many it is a "
    "tie, counted as one without a majority; where missing answers could decide otherwise it is unclear."
)


def lead(figures: PairFigures) -> list[str]:
    """What came out of the pairs, and how far a jury agrees."""
    agreement = [f"{_capital(figures.source.what)}: {_agreement(figures.jury)}"] if figures.jury else []
    return [sentence(figures), *agreement]


def _agreement(jury: PairJury) -> str:
    words = jury.agreement.sentence("without a majority, which are ties")
    return words[0].lower() + words[1:]


def sentence(figures: PairFigures) -> str:
    """What came out of the pairs, in a sentence."""
    both = [one for one in figures.tallies if one.facet == "both" and one.decided]
    told = [_told(one) for one in both if _is_apart(one)]
    level = [" from ".join(one.methods) for one in both if not _is_apart(one)]
    start = _capital(figures.source.what)
    if not both:
        return f"{start}, no cell has an outcome."
    if not told:
        none = f"{in_words(both[0].methods)} are not" if len(both) == 1 else "no two methods are"
        return f"{start}, {none} told apart."
    rest = f"; not told apart: {', '.join(level)}" if level else ""
    return f"{start}, {in_words(told)}{rest}."


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


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
    """The strengths of methods, and what became of every two; of a jury also by each of its members."""
    return [*_strengths(figures, collection), *_tallies(figures, collection)]


def _strengths(figures: PairFigures, collection: str) -> list[Table]:
    notes = [
        *([figures.brand] if figures.brand else []),
        f"{who(figures)} {STRENGTHS.format(in_both=figures.source.in_both)}",
    ]
    notes += why_not_lines(figures)
    head = ["method", *(f"strength, {facet}" for facet in reversed(FACETS))]
    tables = [
        Table(f"Strengths {figures.source.what}: {collection}", head, _strength_rows(figures, figures.methods), notes)
    ]
    if figures.jury is not None:
        every = [(name, _strength_rows(own, figures.methods)) for name, own in sides(figures)]
        tables.append(_by_each(tables[0], every, figures.jury.agreement.notes))
    return tables


def _strength_rows(figures: PairFigures, methods: Sequence[str]) -> list[list[str]]:
    return [
        [method, *(interval(figure, signed=True) for figure in reversed(strengths_of(figures, method).values()))]
        for method in methods
    ]


def _tallies(figures: PairFigures, collection: str) -> list[Table]:
    head = ["method", "against", "in", "better", "tie", "worse", "preference", "p"]
    head += ["no majority" if figures.jury else "orders disagree", "alike", "unclear"]
    notes = [TALLIES.format(how=figures.source.how), *([MAJORITIES] if figures.jury else []), *order_notes(figures)]
    notes += [
        f"{method} has no picture of {count(cells, 'cell')} of others." for method, cells in figures.missing.items()
    ]
    notes += [f"Unclear: {in_kinds(figures.reasons)}"] if figures.reasons else []
    title = f"Every two methods {figures.source.what}: {collection}"
    tables = [Table(title, head, [_tally_row(one) for one in figures.tallies], notes, names=3)]
    if figures.jury is not None:
        own_head = [*head[:8], "no majority, or orders disagree", *head[9:]]
        every = [(name, _like(figures.tallies, own.tallies)) for name, own in sides(figures)]
        notes = [f"{name}: {' '.join(order_notes(own))}" for name, own in sides(figures)[1:] if order_notes(own)]
        tables.append(_by_each(replace(tables[0], head=own_head), every, notes))
    return [_without(table, figures.source.lacks) for table in tables]


def _without(table: Table, heads: Sequence[str]) -> Table:
    """A table without the columns of these heads."""
    kept = [at for at, head in enumerate(table.head) if head not in heads]
    rows = [[row[at] for at in kept] for row in table.rows]
    return replace(table, head=[table.head[at] for at in kept], rows=rows)


def _by_each(table: Table, sides: Sequence[tuple[str, Sequence[list[str]]]], notes: Sequence[str]) -> Table:
    """A table of a jury with the rows of every side below each other: the majority's, then each member's."""
    at = table.names
    rows = chain.from_iterable(
        zip(*([[*row[:at], name, *row[at:]] for row in own] for name, own in sides), strict=True)
    )
    head = [*table.head[:at], "judge", *table.head[at:]]
    return Table(f"By each of the jury, {table.title[0].lower()}{table.title[1:]}", head, list(rows), notes, at + 1)


def sides(figures: PairFigures) -> list[tuple[str, PairFigures]]:
    """The figures of a jury by whose they are: the majority's, then each member's by its name."""
    jury = figures.jury
    return [(MAJORITY, figures), *(zip(jury.agreement.names, jury.members, strict=True) if jury else ())]


def _like(tallies: Sequence[PairTally], own: Sequence[PairTally]) -> list[list[str]]:
    """A member's rows in the majority's order; empty cells of what it did not compare."""
    by_kind = {(one.methods, one.facet): one for one in own}
    every = [(one, by_kind.get((one.methods, one.facet))) for one in tallies]
    return [_tally_row(mine) if mine else [*one.methods, one.facet, *[""] * 8] for one, mine in every]


def _tally_row(tally: PairTally) -> list[str]:
    disagree = "" if tally.disagreements is None else str(tally.disagreements)
    p = number(tally.preference.p if tally.preference else None, 3)
    counts = [str(tally.wins), str(tally.ties), str(tally.losses), interval(tally.preference, signed=True), p]
    return [*tally.methods, tally.facet, *counts, disagree, str(tally.identical), str(tally.unclear)]


def who(figures: PairFigures) -> str:
    """Whose choices they are, and who else's there are."""
    others = in_words([f"{judge.critic} (--judge {judge.id})" for judge in figures.others])
    flags = jury_flags([figures.judge, *figures.others])
    too = f" {others} compared these pictures too; all as a jury: {flags}." if others else ""
    return f"{figures.source.who}: {figures.judge.critic} with the prompts {figures.judge.prompts}.{too}"


def order_notes(figures: PairFigures) -> list[str]:
    """How often the two orders disagree, and how often the picture that is shown first is chosen."""
    notes = []
    if figures.disagreements is not None and figures.jury is not None:
        notes.append(f"Nothing has a majority in {_percent(figures.disagreements)} of aspects of cells.")
    elif figures.disagreements is not None:
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


def why_not_lines(figures: PairFigures) -> list[str]:
    """The same in sentences."""
    return [f"No strengths in {facet}: {why}." for facet, why in why_not(figures).items()]


def why_not(figures: PairFigures) -> dict[str, str]:
    """Why there are no strengths, by what they would be in."""
    return {facet: one.why_not for facet, one in figures.strengths.items() if one.why_not}
