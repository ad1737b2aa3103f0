"""Studies on the test grid for items of the paper, each made once, with simulated raters who vote once.

Invariant: no person is invited to them, so that nobody's vote is ever beside a simulated one; reports on them are of
simulated raters alone and say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorarar.store import Store
from lorarar.util.digest import digest_of_facts
from studies.creation.create import StudyRequest, new_study
from studies.figures import Figure, StudyReport
from studies.rater.wording import StudyKind
from studies.reports.report import make_report
from studies.simulate import simulate
from studies.store import RaterStore, Scenario, Study, StudyStore

if TYPE_CHECKING:
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

RATERS, NOISE = 25, 0.3  # as many as the paper's people; of what they see, where a quality lies in 0..1
TITLE = 20  # characters of a grid's title in a study's name, which has 64 with all that follows
MARK = "SIMULATED RATERS, NOT PEOPLE"
#: What would be read before voting: it tells whoever opens such a study, and the same pictures for people are another.
CONSENT = (
    f"{MARK}: this study is for trying out a report; please do not vote. Make another for people: lorarar study new"
)


@dataclass(frozen=True)
class GridStudy:
    """A study of some of a grid's methods."""

    name: str
    kind: StudyKind
    methods: tuple[str, ...]
    scenario: Scenario = "random"
    items: int | None = None

    def of(self, work: PaperWork, plan: Plan) -> StudyRequest:
        """The request for it, on a grid's pictures: other pictures, or other verdicts on them, are another study."""
        seen = sorted((picture.target.digest, str(picture.correct)) for picture in work.report(plan).pictures)
        grid = re.sub("[^A-Za-z0-9._-]", "-", plan.title)[:TITLE]
        return StudyRequest(
            name=f"{grid}-{self.name}-{digest_of_facts({'pictures': seen})[:8]}",
            kind=self.kind,
            methods=self.methods,
            scenario=self.scenario,
            items=self.items,
            images=f"plan={plan.title}",
            consent=CONSENT,
        )


def tried(work: PaperWork, plan: Plan, wanted: GridStudy) -> tuple[Study, StudyReport]:
    """A study with the report on its simulated raters, who vote now if they have not voted yet.

    Raises:
        StudyError: there are not the pictures for it; the message says why.
        ImageError: a picture cannot be read.
    """
    request = wanted.of(work, plan)
    with Store(work.request.database) as store:
        studies = StudyStore(store)
        study = studies.get(request.name) if request.name in studies.names() else new_study(store, request)
        if not RaterStore(store, study).simulated():
            simulate(store, study.name, RATERS, NOISE)
        return study, make_report(store, study.name, simulated=True)


def records(report: StudyReport) -> list[dict[str, Any]]:
    """The figures of a report as JSON has them, each marked as its report marks it."""
    return [vars(figure) for figure in report.figures]


def commands(study: Study, plan: Plan) -> list[str]:
    """What anybody types to ask people the same."""
    name = f"{study.name}-people"
    make = (
        f"lorarar study new {name} --kind {study.kind} --methods {','.join(study.methods)} --scenario {study.scenario} "
        f"--plan {plan.title} --items {study.item_count}"
    )
    return [
        make,
        f"lorarar study preregister {name} -o {name}.md",
        f"lorarar study serve {name} --raters {RATERS}",
        f"lorarar study report {name}",
    ]


def figure_named(report: StudyReport, name: str, section: str = "outcomes") -> Figure | None:
    """The first figure of a section by its name."""
    return next((one for one in report.figures if one.section == section and one.name == name), None)
