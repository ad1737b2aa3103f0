"""Searching the setting of each pair, beside the best single method: ``lorarar tune`` over the test grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from judge.full_run import judge_all
from judge.judges import Judges
from judge.metrics.table import METRICS
from judge.paper.errors import PaperError
from judge.paper.grid_values import ByMethod, mars2_by_pair, metric_by_pair
from judge.paper.grids import grid_words
from judge.paper.items import methods
from judge.paper.pair_tuning import TunedPair, searched, tune_pairs
from judge.paper.section import PaperSection
from judge.paper.sentences import beyond, record, standing
from judge.paper.standings import MARS2_WORDS, WITHOUT_JUDGE
from judge.run_request import RunRequest
from lorarar.util.formatting import count, interval
from lorarar.util.statistics.crossed import over_pairs
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

TUNED = "tuned"  # the row of what the searches came to
TRUTH = "truth-"  # what rows begin with that learnt from true pictures, which no search may


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid with all methods, which the searches have to beat."""
    return methods.plans(request)


def section(work: PaperWork) -> PaperSection:
    """What the searches came to on the grid's seeds, which are fresh to them."""
    (grid,) = plans(work.request)
    tuned = tune_pairs(work, grid)
    report = work.report(grid)
    values = {"mars2": mars2_by_pair(report)}
    values |= {name: metric_by_pair(report, name, work.request.database) for name in WITHOUT_JUDGE}
    singles = [row for row in values["mars2"] if not row.startswith(TRUTH)]
    for name, own in _tuned_values(work, grid, tuned).items():
        values[name] = {row: values[name][row] for row in singles if row in values[name]} | {TUNED: own}
    best = max(singles, key=lambda row: np.mean(list(values["mars2"][row].values())))
    says, numbers = _beside(values, best)
    each = count(len(grid.pictures.seeds), "picture")
    return PaperSection(
        title="Searching the setting of each pair",
        paragraphs=[
            f"For each pair of the test grid {count(searched(work), 'picture')} on seeds of their own are searched by, "
            f"as lorarar tune does without further flags; what leads is drawn on the grid's seeds, {each} of a pair. "
            f"Beside it stands every single method, the same for all pairs, on the same seeds: {grid_words(grid)}.",
        ],
        tables=[_table(values, best), _settings(tuned, values["mars2"], best)],
        says=says,
        says_not=[
            f"That {best} is as good as it looks: it is the best of {len(singles)} on these very seeds, and so "
            "flattered, which what was searched is not.",
            "That people would see it: what is searched by is the judge, whose taste is part of what is found. RMS to "
            "the truth and identification know no judge.",
        ],
        numbers={"best": best, "tuned": [_record(one) for one in tuned], **numbers},
    )


def _tuned_values(work: PaperWork, grid: Plan, tuned: Sequence[TunedPair]) -> dict[str, dict[Any, float]]:
    """The figures of the leaders by pair."""
    from lorarar.bench.run import run_plan
    from lorarar.store import Store

    settings = {"device": work.request.device} if work.request.device else {}
    values: dict[str, dict[Any, float]] = {name: {} for name in ("mars2", *WITHOUT_JUDGE)}
    for one in tuned:
        plan = one.plan(grid)
        with Store(work.request.database) as store:
            outcome = run_plan(plan, store, work.request.out / "pictures" / grid.title)
        if outcome.failures:
            raise PaperError(outcome.failures[0])
        judge_all(RunRequest(work.choice(plan), Judges(settings=settings)))
        report = work.report(plan)
        values["mars2"] |= mars2_by_pair(report).get(plan.methods[0].row_name, {})
        for name in WITHOUT_JUDGE:
            if name in report.backbones:
                values[name] |= metric_by_pair(report, name, work.request.database)[plan.methods[0].row_name]
    return {name: own for name, own in values.items() if own}


def _beside(values: Mapping[str, ByMethod], best: str) -> tuple[list[str], dict[str, Any]]:
    """What is said of the searches beside the best single method, and beside all, by each figure."""
    says, numbers = [], {}
    for name, words in {"mars2": MARS2_WORDS, **WITHOUT_JUDGE}.items():
        of = values.get(name, {})
        if TUNED not in of:
            continue
        lower = name in METRICS and not METRICS[name].higher_is_better
        only = beyond(TUNED, {row: own for row, own in of.items() if row in (TUNED, best)})
        says += standing(TUNED, only, f"{words.words}, beside the best single method", places=words.places, lower=lower)
        numbers[f"beyond_best_by_{name}"] = record(only)
        numbers[f"beyond_all_by_{name}"] = record(beyond(TUNED, of))
    return says, numbers


def _table(values: Mapping[str, ByMethod], best: str) -> Table:
    """All rows by all figures, the searches first."""
    places = {"mars2": MARS2_WORDS.places} | {name: one.places for name, one in WITHOUT_JUDGE.items()}
    heads = {"mars2": "MARS2"} | {name: METRICS[name].title for name in WITHOUT_JUDGE}
    rows = sorted(values["mars2"], key=lambda row: (row != TUNED, -np.mean(list(values["mars2"][row].values()))))
    cells = [
        [row, *(interval(over_pairs(values[name][row]), places[name]) if row in values[name] else "" for name in heads)]
        for row in rows
    ]
    notes = [
        f"In brackets: 95 % bootstrap intervals, subjects and styles drawn anew. {best} is the best single method on "
        "these seeds."
    ]
    return Table("Searched for each pair, and single methods", ("row", *heads.values()), cells, notes)


def _settings(tuned: Sequence[TunedPair], mars2: ByMethod, best: str) -> Table:
    """What was found for each pair."""
    rows = [
        [*one.pair, one.setting.words, f"{mars2[TUNED][one.pair]:.2f}", f"{mars2[best][one.pair]:.2f}"]
        for one in tuned
        if one.pair in mars2[TUNED]
    ]
    methods_found = Counter(one.setting.method for one in tuned)
    notes = [f"Methods found: {', '.join(f'{name} {many}' for name, many in methods_found.most_common())}."]
    return Table("What was found", ("subject", "style", "setting", "MARS2", f"MARS2 of {best}"), rows, notes, names=3)


def _record(one: TunedPair) -> dict[str, Any]:
    return {"pair": list(one.pair), "setting": one.setting.facts, "tried": one.tried}
