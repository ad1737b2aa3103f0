"""Open question 2: where a hypernetwork fails, and whether that is far from what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.paper.errors import PaperError
from judge.paper.grid_values import ByMethod, mars2_by_pair, metric_by_pair
from judge.paper.grids import grid, grid_words
from judge.paper.items.check_1 import SIDES, likeness_of, split_names
from judge.paper.likeness import BY, Likeness, Side
from judge.paper.pocket_concepts import styles_of, subjects_of
from judge.paper.rank_correlations import correlation, correlation_beyond, success_by_concept
from judge.paper.section import PaperSection
from lorarar.pictures.scatter_chart import Point, ScatterChart, ScatterPanel
from lorarar.util.formatting import interval, number
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import over_pairs
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

OURS, BLIND = "lorarar", "ties"  # the network's merges, and those of a method that has seen no training set
ROWS = ({"method": OURS}, {"method": BLIND, "density": 0.5})
SEEDS = 4
#: What success is measured by: the words, the decimal places, and whether less is better.
MEASURES: Mapping[str, tuple[str, int, bool]] = {
    "mars2": ("MARS2", 2, False),
    "rms-truth": ("the difference to the true picture", 1, True),
}
PARAGRAPH = (
    "A concept's distance from the training set is that from its nearest training concept, one less the cosine (next "
    f"check 1 says of what). Its success is the mean over its pairs. {BLIND} has learnt from no training set: where "
    "its success goes with the distance as much, what is far is hard for any merge, and not for the network alone. Rho "
    "is Spearman's; its interval has subjects and styles drawn anew."
)


def plans(request: PaperRequest) -> Sequence[Plan]:
    """All held-out subjects in all held-out styles."""
    return [_plan(request)]


def _plan(request: PaperRequest) -> Plan:
    contents, styles = ([*of("test"), *of("validation")] for of in (subjects_of, styles_of))
    return grid(request, "failures", ROWS, contents=contents, styles=styles, seeds=SEEDS)


def section(work: PaperWork) -> PaperSection:
    """Success by concept against the distance from the nearest training concept.

    Raises:
        PaperError: a pair has no figure, so that concepts cannot be compared over the same pairs.
    """
    plan = _plan(work.request)
    report = work.report(plan)
    figures = {"mars2": mars2_by_pair(report), "rms-truth": metric_by_pair(report, "rms-truth", work.request.database)}
    _check_whole(plan, figures)
    alike = {side: likeness_of(work, side) for side in SIDES}
    correlations = _correlations(alike, figures)
    return PaperSection(
        title="Open question 2: where it fails",
        paragraphs=[
            f"All held-out subjects in all held-out styles: {grid_words(plan)}.",
            PARAGRAPH,
        ],
        tables=[*(_table(alike[side], side, figures) for side in SIDES), _rho_table(correlations)],
        figures=[
            work.chart(_scatter(alike, figures, name), f"Distance from the training set against {words}.", name)
            for name, (words, _, _) in MEASURES.items()
        ],
        says=[_sentence(key, of) for key, of in correlations.items()]
        + [text for side in SIDES if (text := _worst(side, figures))],
        says_not=[
            "Why: what lies far may be hard for other reasons, as the small parts of a subject or a style's texture.",
            f"That there is no dependence where none is told: {plan.contents.size} subjects and {plan.styles.size} "
            "styles are few, and an interval rules out nothing that it holds.",
            "That other distances would say the same.",
            f"Much by a single interval: {len(correlations)} are looked at, each of 95 % by itself.",
        ],
        numbers={
            "rho": [
                {"side": side, "by": by, "measure": name, **{of: value and vars(value) for of, value in values.items()}}
                for (side, by, name), values in correlations.items()
            ],
            "concepts": {
                side: {name: _of_concept(alike[side], side, name, figures) for name in _names(side, figures)}
                for side in SIDES
            },
        },
    )


def _check_whole(plan: Plan, figures: Mapping[str, ByMethod]) -> None:
    for name, (words, _, _) in MEASURES.items():
        for method in (OURS, BLIND):
            lacking = plan.pair_count - len(figures[name].get(method, {}))
            if lacking:
                raise PaperError(
                    f"{lacking} of {plan.pair_count} pairs by {method} have no figure of {words}; "
                    f"lorarar judge report --images plan={plan.title} says why"
                )


Key = tuple[Side, str, str]  # a side, what distances are by, a measure of success


def _correlations(
    alike: Mapping[Side, Likeness], figures: Mapping[str, ByMethod]
) -> dict[Key, dict[str, Interval | None]]:
    """Rho of distance with success, of both methods, and by how much the network's exceeds the other's."""
    rhos: dict[Key, dict[str, Interval | None]] = {}
    for place, side in enumerate(SIDES):
        for by in BY:
            for name, values in figures.items():
                distances = {concept: _nearest(alike[side], side, concept, by)[1] for concept in _names(side, figures)}
                rhos[side, by, name] = {
                    **{method: correlation(distances, values[method], place) for method in (OURS, BLIND)},
                    "difference": correlation_beyond(distances, values[OURS], values[BLIND], place),
                }
    return rhos


def _sentence(key: Key, of: Mapping[str, Interval | None]) -> str:
    """Whether success goes with distance, and more for the network than for a method without a training set."""
    side, by, name = key
    words, _, lower = MEASURES[name]
    rho, difference = of[OURS], of["difference"]
    if rho is None:
        return f"By {words}, all {SIDES[side]} come out alike, so that nothing can go with their distance {BY[by]}."
    told = "is not told to go with"
    if rho.low is not None and rho.high is not None and not rho.low <= 0 <= rho.high:
        told = "falls with" if (rho.value < 0) != lower else "rises with"
    return (
        f"By {words}, success of {SIDES[side]} {told} the distance {BY[by]}: rho of {words} with it "
        f"{interval(rho, signed=True)}, {BLIND} {interval(of[BLIND], signed=True)}, the difference "
        f"{interval(difference, signed=True)}."
    )


def _worst(side: Side, figures: Mapping[str, ByMethod]) -> str:
    """The concepts of a side that come out worst and best by MARS2; nothing where all come out alike."""
    place = [*SIDES].index(side)
    by_concept = success_by_concept(figures["mars2"][OURS], place)
    ranked = sorted(by_concept, key=lambda name: by_concept[name])
    if by_concept[ranked[0]] == by_concept[ranked[-1]]:
        return ""

    def of(name: str) -> str:
        values = {pair: value for pair, value in figures["mars2"][OURS].items() if pair[place] == name}
        return f"{name}, {interval(over_pairs(values))}"

    return f"Of {SIDES[side]} {of(ranked[0])}, comes out worst by MARS2 and {of(ranked[-1])}, best, of those looked at."


def _names(side: Side, figures: Mapping[str, ByMethod]) -> list[str]:
    place = [*SIDES].index(side)
    return sorted({pair[place] for pair in figures["mars2"][OURS]})


def _nearest(alike: Likeness, side: Side, name: str, by: str) -> tuple[str, float]:
    return alike.nearest(name, split_names(side)[0], by)


def _of_concept(alike: Likeness, side: Side, name: str, figures: Mapping[str, ByMethod]) -> dict[str, Any]:
    place = [*SIDES].index(side)
    success = {
        measure: {method: success_by_concept(values[method], place)[name] for method in (OURS, BLIND)}
        for measure, values in figures.items()
    }
    return {"nearest": {by: _nearest(alike, side, name, by) for by in BY}, **success}


def _table(alike: Likeness, side: Side, figures: Mapping[str, ByMethod]) -> Table:
    place, rows = [*SIDES].index(side), []
    success = {name: success_by_concept(values[OURS], place) for name, values in figures.items()}
    for name in sorted(_names(side, figures), key=lambda name: success["mars2"][name]):
        near = [
            f"{concept} ({number(distance)})" for concept, distance in (_nearest(alike, side, name, by) for by in BY)
        ]
        rows.append([name, *(number(success[key][name], MEASURES[key][1]) for key in success), *near])
    head = [SIDES[side], "MARS2", "RMS to the truth", *(f"nearest {words} (distance)" for words in BY.values())]
    return Table(f"Held-out {SIDES[side]} by {OURS}, the worst first", head, rows)


def _rho_table(correlations: Mapping[Key, Mapping[str, Interval | None]]) -> Table:
    rows = [
        [SIDES[side], BY[by], MEASURES[name][0], *(interval(value, signed=True) for value in of.values())]
        for (side, by, name), of in correlations.items()
    ]
    return Table("Rho of distance with success", ["of", "distance", "with", OURS, BLIND, "difference"], rows)


def _scatter(alike: Mapping[Side, Likeness], figures: Mapping[str, ByMethod], measure: str) -> ScatterChart:
    panels = []
    for place, side in enumerate(SIDES):
        for by, words in BY.items():
            points = [
                Point(name if number == 0 else "", _nearest(alike[side], side, name, by)[1], success[name], number)
                for number, method in enumerate((OURS, BLIND))
                for success in [success_by_concept(figures[measure][method], place)]
                for name in success
            ]
            panels.append(
                ScatterPanel(f"{SIDES[side]}, {words}", "distance from the nearest", MEASURES[measure][0], points)
            )
    return ScatterChart(f"Distance from the training set against {MEASURES[measure][0]}", [OURS, BLIND], panels)
