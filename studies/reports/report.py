"""Reports on studies, as figures: each with its interval and n, or with the reason why it is not defined.

People and simulated raters are never in one report; one of the latter says so on every line of every format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorarar.store import Store
from lorarar.store.command_line import command_line
from lorarar.util.suggestion import did_you_mean
from studies.errors import StudyError
from studies.figures import Figure, Points, StudyReport, marked
from studies.reports.agreement import agreement
from studies.reports.attention import attention, left_out
from studies.reports.conclusion import conclusion
from studies.reports.correlation import correlations
from studies.reports.exclusions import keep
from studies.reports.facts import design_facts, voting_facts
from studies.reports.item_table import ItemRow, item_rows
from studies.reports.model import strength_figures
from studies.reports.outcomes import preferences, yes_shares
from studies.reports.rater_table import RaterRow, rater_rows
from studies.reports.record import record
from studies.reports.registration import registration
from studies.reports.standing_votes import StandingVote, standing_votes
from studies.rules import StudyRules
from studies.statistics.draws import Draws, drawn_by
from studies.store import Study, StudyStore

BY = ("item", "rater")  # what a report can have a row each of


def make_report(
    store: Store, name: str, simulated: bool = False, attentive: bool = False, draws: Draws | None = None
) -> StudyReport:
    """Report on the people who voted on a study, or on its simulated raters.

    Args:
        store: the database of results.
        name: the study's.
        simulated: whether to report on simulated raters instead of people.
        attentive: whether to leave out whoever failed an attention check, also where the study's rules do not.
        draws: how many resamples the intervals are made of, and by which seed; the usual ones without.

    Raises:
        StudyError: there is no such study, or there are no votes to report on.
    """
    with drawn_by(draws or Draws()):
        return _report(store, name, simulated, attentive)


def make_rows(
    store: Store, name: str, by: str, simulated: bool = False, attentive: bool = False
) -> list[ItemRow] | list[RaterRow]:
    """The items or the raters of a study, one a row.

    Args:
        store: the database of results.
        name: the study's.
        by: ``item`` or ``rater``.
        simulated: whether to report on simulated raters instead of people.
        attentive: as for ``make_report``; of items the votes that are kept count, raters are all told of.

    Raises:
        StudyError: there is no such study, nobody has voted on it, or ``by`` is something else.
    """
    if by not in BY:
        raise StudyError(f"--by is {by[:40]!r}; accepted are {' and '.join(BY)}{did_you_mean(by, BY)}")
    studies = StudyStore(store)
    study = studies.get(name)
    votes = standing_votes(studies, study, simulated)
    if not votes:
        raise StudyError(_why_empty(studies, study, simulated, ()))
    kept = keep(study, votes, rules_of(study, attentive))
    return item_rows(store, study, kept.votes) if by == "item" else rater_rows(study, votes, kept, simulated)


def rules_of(study: Study, attentive: bool) -> StudyRules:
    """The rules that a report goes by: the study's, or with no failed check at all."""
    return replace(study.rules, most_failed_checks=0) if attentive else study.rules


def _report(store: Store, name: str, simulated: bool, attentive: bool) -> StudyReport:
    studies = StudyStore(store)
    study = studies.get(name)
    votes = standing_votes(studies, study, simulated)
    rules = rules_of(study, attentive)
    kept = keep(study, votes, rules)
    if not any(vote.purpose == "plain" for vote in kept.votes):
        reasons = [one.reason for one in kept.exclusions if one.raters]
        raise StudyError(_why_empty(studies, study, simulated, reasons))
    figures, points = _sections(store, study, kept.votes)
    if len(kept.votes) < len(votes):
        figures = _beside(figures, _sections(store, study, votes)[0])
    registered = [] if simulated else [registration(store, study, attentive)]
    facts = [*design_facts(study), *registered, *left_out(kept.exclusions)]
    figures = [conclusion(study, kept.votes, figures, simulated), *facts, *figures, *record(study)]
    return StudyReport(
        study=name,
        kind=study.kind,
        simulated=simulated,
        figures=tuple(map(marked, figures) if simulated else figures),
        points=tuple(points),
        collection=study.collection.label if study.collection else "",
    )


def _sections(store: Store, study: Study, votes: Sequence[StandingVote]) -> tuple[list[Figure], list[Points]]:
    """All that depends on who is kept, with the points of scatter plots."""
    plain = [vote for vote in votes if vote.purpose == "plain"]
    if study.kind == "ab":
        outcomes = [*preferences(study, plain), *strength_figures(study, plain)]
    else:
        outcomes = yes_shares(study, plain)
    against_metrics, points = correlations(store, study, plain)
    facts = [*voting_facts(study, votes), *attention(study, votes)]
    return [*facts, *outcomes, *agreement(study, votes), *against_metrics], points


def _beside(figures: Sequence[Figure], of_all: Sequence[Figure]) -> list[Figure]:
    """Figures with those beside them that nothing is left out of."""
    by_name = {(figure.section, figure.of, figure.name): figure for figure in of_all}
    return [
        replace(figure, all_value=other.value, all_low=other.low, all_high=other.high, all_n=other.n)
        if (other := by_name.get((figure.section, figure.of, figure.name)))
        else figure
        for figure in figures
    ]


def _why_empty(studies: StudyStore, study: Study, simulated: bool, left_out: Sequence[str]) -> str:
    """Why there is nothing to report on."""
    if left_out:
        return f"all votes on the study {study.name} are left out, by its rules or --attentive: {', '.join(left_out)}"
    if simulated:
        make = command_line("lorarar study simulate")
        return f"the study {study.name} has no simulated raters; make some with: {make}"
    others = sum(rater.simulated for rater in studies.raters(study))
    hint = f"; it has {others} simulated raters, which --simulated reports on" if others else ""
    return f"nobody has voted on the study {study.name} yet{hint}"
