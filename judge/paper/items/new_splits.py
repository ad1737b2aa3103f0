"""A2.6: hypernetworks trained on kinds of subjects and styles, and measured on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.paper.grids import Row, constants_row, grid, grid_words
from judge.paper.mars2_views import mars2_chart, mars2_table
from judge.paper.networks import PaperNetwork, missing_words, ready, recipe_words
from judge.paper.pocket_concepts import animals, stuffed_animals, styles_with, things
from judge.paper.section import PaperFigure, PaperSection
from judge.paper.standings import stand
from judge.reports.tables import records
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from typing import Any

    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

ITEM = "new-splits"
SEEDS = 4
OURS, MEANS = "retrained", "retrained-means"
OTHERS = (
    {"method": "direct"},
    {"method": "ties", "density": 0.5},
    {"method": "ziplora", "batch": 2},
)


@dataclass(frozen=True)
class KindSplit:
    """What is trained on, and what on others is measured on."""

    name: str
    words: str
    train: tuple[tuple[str, ...], tuple[str, ...]]  # subjects and styles
    test: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def network(self) -> PaperNetwork:
        """The network of the split."""
        return PaperNetwork(f"split-{self.name}", *self.train)


def splits() -> list[KindSplit]:
    """The paper's two splits, of Pocket's concepts."""
    tests = styles_with(("abstract rainbow", "wooden sculpture", "melting golden"))
    return [
        KindSplit(
            "things",
            "trained on things in 3D renderings, measured on stuffed animals in cartoons",
            (things(), styles_with(("3d rendering",))),
            (stuffed_animals(), styles_with(("cartoon",))),
        ),
        KindSplit(
            "animals",
            "trained on animals in watercolours, measured on things in rainbow, wood and gold",
            (animals(), styles_with(("watercolor",))),
            (("teapot", "can", "clock", "backpack-dog"), tests),
        ),
    ]


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test cells of each split whose network is there."""
    return list(_plans(request).values())


def _plans(request: PaperRequest) -> dict[str, Plan]:
    files = ready([split.network for split in splits()], request)
    made = {}
    for split in splits():
        if split.network.name in files:
            own = {"method": "lorarar", "hypernet": str(files[split.network.name].absolute())}
            rows: list[Row] = [{**own, "name": OURS}, {**own, "name": MEANS, "means": True}, *OTHERS, constants_row()]
            contents, styles = split.test
            name = f"split-{split.name}"
            made[split.name] = grid(request, name, rows, contents=contents, styles=styles, seeds=SEEDS)
    return made


def section(work: PaperWork) -> PaperSection:
    """Both splits, each with its table, its chart and where the retrained network stands."""
    request = replace(work.request, train=False)  # what it trains is there by now
    networks = [split.network for split in splits()]
    lacking = missing_words(networks, ready(networks, request), ITEM)
    own = _plans(request)
    if not own:
        return PaperSection(_title(), paragraphs=[f"Not made: {lacking}"], numbers={"missing": lacking})
    of_splits, figures, says, paragraphs = list[Table](), list[PaperFigure](), list[str](), list[str]()
    numbers: dict[str, Any] = {}
    for split in (split for split in splits() if split.name in own):
        plan, sides = own[split.name], split.train
        report = work.report(plan)
        standings = stand(report, work.request.database, OURS)
        paragraphs.append(
            f"Split {split.name}: {split.words}. {len(sides[0])} x {len(sides[1])} training pairs: "
            f"{recipe_words(request)}. {grid_words(plan)}."
        )
        title = f"MARS2 of split {split.name}"
        of_splits.append(mars2_table(report, title))
        figures.append(
            work.chart(mars2_chart(report, title), f"MARS2 of split {split.name}: {split.words}.", split.name)
        )
        says += [f"Split {split.name}: {sentence}" for sentence in standings.sentences]
        numbers[split.name] = {"rows": records(report), **standings.numbers}
    return PaperSection(
        title=_title(),
        paragraphs=[*paragraphs, *([lacking] if lacking else [])],
        tables=of_splits,
        figures=figures,
        says=says,
        says_not=[
            "How much a split costs beside a diverse training set of the same size: open question 1 asks that.",
            f"Anything that so few cells do not show. Where {OURS} is not ahead of {MEANS}, what it learnt on one kind "
            "is a constant, and says nothing of the other kind.",
        ],
        numbers=numbers,
    )


def _title() -> str:
    return "A2.6: new splits"
