"""Figures 9 and 10: pairs by methods, and the whole grid by LoRA.rar, with the judge's verdicts beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from judge.paper.standings import main_method
from judge.reports.tables import records, tables
from judge.reports.verdict_sheet import VerdictTile, judged_tile, reference_tile, verdict_sheet
from lorarar.util.formatting import count

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.pictures import JudgedPicture
    from judge.reports.report import JudgeReport
    from lorarar.bench.plan import Plan
    from lorarar.store.queries import Pair

MOST = 12  # subjects, or styles, that a sheet shows


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid, or that of the user's own concepts."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """Both sheets: nothing in them is chosen by what it looks like or by what a judge says."""
    plan = test_grid(work.request)
    report = work.report(plan)
    ours, pictures = main_method(report), _first(report)
    subjects, styles = ([*dict.fromkeys(pair[side] for _, pair in pictures)][:MOST] for side in (0, 1))
    methods = [line.method for line in report.lines]
    diagonal = [(subject, styles[place % len(styles)]) for place, subject in enumerate(subjects)]
    compared = work.picture(
        verdict_sheet(
            ["subject", "style", *methods],
            [
                (
                    " in ".join(pair),
                    [*_references(pictures, pair), *(_tile(pictures, method, pair) for method in methods)],
                )
                for pair in diagonal
            ],
            "Pairs by methods, the same noise in a row",
        ),
        "Pairs by methods (the paper's Figure 9), with MARS2's verdicts.",
        "methods",
    )
    whole = work.picture(
        verdict_sheet(
            ["", *styles],
            [
                ("", [None, *(_reference(pictures, style, side=1) for style in styles)]),
                *(
                    (
                        subject,
                        [
                            _reference(pictures, subject, side=0),
                            *(_tile(pictures, ours, (subject, style)) for style in styles),
                        ],
                    )
                    for subject in subjects
                ),
            ],
            f"Every subject in every style by {ours}",
        ),
        f"Every subject in every style by {ours} (the paper's Figure 10), with MARS2's verdicts.",
        "grid",
    )
    return PaperSection(
        title="Figures 9 and 10: pictures by method, and of every pair",
        paragraphs=[
            f"The picture of the first seed of each pair, whatever it came to: {grid_words(plan)}. Rows of the first "
            "sheet are each subject in another style, and all methods start from the same noise. Green frames are "
            "pictures that MARS2 accepts, red ones those that it does not."
        ],
        tables=[table for table in tables(report, paper=False) if "(Table A2)" not in table.title][:1],
        figures=[compared, whole],
        says=[*report.sentences],
        says_not=[
            f"More than {count(len(diagonal), 'picture')} by each method can show: the figures beside it are of all.",
            "That a green frame is a good picture: it is one that this judge accepts.",
        ],
        numbers={"rows": records(report)},
    )


Pictures = Mapping[tuple[str, "Pair"], "JudgedPicture"]


def _first(report: JudgeReport) -> dict[tuple[str, Pair], JudgedPicture]:
    """The picture of the lowest seed of each method and pair."""
    first: dict[tuple[str, Pair], JudgedPicture] = {}
    for picture in sorted(report.pictures, key=lambda one: one.target.seed or 0):
        first.setdefault((picture.target.row, picture.pair), picture)
    return first


def _tile(pictures: Pictures, method: str, pair: Pair) -> VerdictTile | None:
    picture = pictures.get((method, pair))
    return judged_tile(picture) if picture else None


def _references(pictures: Pictures, pair: Pair) -> list[VerdictTile | None]:
    return [_reference(pictures, name, side) for side, name in enumerate(pair)]


def _reference(pictures: Pictures, name: str, side: int) -> VerdictTile | None:
    """The first reference of a concept."""
    for (_, pair), picture in pictures.items():
        if pair[side] == name:
            target = picture.target
            return reference_tile((target.subject_references, target.style_references)[side][0])
    return None
