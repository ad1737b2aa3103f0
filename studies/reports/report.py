"""Reports on studies, as figures: each with its interval and n, or with the reason why it is not defined.

People and simulated raters are never in one report; one of the latter says so on every line of every format.
"""

from __future__ import annotations

from lorarar.store import Store
from studies.errors import StudyError
from studies.figures import StudyReport, marked
from studies.reports.agreement import agreement
from studies.reports.correlation import correlations
from studies.reports.facts import facts
from studies.reports.model import strength_figures
from studies.reports.outcomes import preferences, yes_shares
from studies.reports.standing_votes import inattentive, standing_votes
from studies.store import Study, StudyStore


def make_report(store: Store, name: str, simulated: bool = False, attentive: bool = False) -> StudyReport:
    """Report on the people who voted on a study, or on its simulated raters.

    Args:
        store: the database of results.
        name: the study's.
        simulated: whether to report on simulated raters instead of people.
        attentive: whether to leave out the raters who failed an attention check.

    Raises:
        StudyError: there is no such study, or there are no votes to report on.
    """
    studies = StudyStore(store)
    study = studies.get(name)
    votes = standing_votes(studies, study, simulated)
    failed = inattentive(study, votes)
    kept = [vote for vote in votes if not (attentive and vote.rater in failed)]
    plain = [vote for vote in kept if vote.purpose == "plain"]
    if not plain:
        raise StudyError(_why_empty(studies, study, simulated, bool(votes)))
    if study.kind == "ab":
        outcomes = [*preferences(study, plain), *strength_figures(study, plain)]
    else:
        outcomes = yes_shares(study, plain)
    against_metrics, points = correlations(store, study, plain)
    figures = [*facts(study, kept, failed, attentive), *outcomes, *agreement(study, kept), *against_metrics]
    return StudyReport(
        study=name,
        kind=study.kind,
        simulated=simulated,
        figures=tuple(map(marked, figures) if simulated else figures),
        points=tuple(points),
        collection=study.collection.label if study.collection else "",
    )


def _why_empty(studies: StudyStore, study: Study, simulated: bool, all_failed: bool) -> str:
    """Why there is nothing to report on."""
    if all_failed:
        return f"all raters of the study {study.name} failed an attention check; report without --attentive"
    if simulated:
        return f"the study {study.name} has no simulated raters; make some with: lorarar study simulate"
    others = sum(rater.simulated for rater in studies.raters(study))
    hint = f"; it has {others} simulated raters, which --simulated reports on" if others else ""
    return f"nobody has voted on the study {study.name} yet{hint}"
