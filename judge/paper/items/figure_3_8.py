"""Figures 3 and 8: the coefficients of the same columns by ZipLoRA and by LoRA.rar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from judge.paper.errors import PaperError
from judge.paper.grids import grid_words, test_grid
from judge.paper.layer_patterns import LayerPatterns
from judge.paper.section import PaperSection
from lorarar.pictures.heatmap_chart import HeatmapChart
from lorarar.store.opening import open_for_reading
from lorarar.store.queries import Pair, collection_pictures
from lorarar.util.formatting import interval, number
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import Difference, difference_over_pairs, over_pairs
from lorarar.util.statistics.holm import APART, with_holm
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image

    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

ZIPLORA, LORARAR = "ziplora", "lorarar"
METHODS = (ZIPLORA, LORARAR)
SHOWN, SEED = 48, 0  # columns of the figure, drawn at random of all
ONE_SIDED = 0.9  # of |m_c| + |m_s|, from which on a column is of one side alone

Columns = Mapping[Pair, Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]]  # m_c, m_s (n,) by pair, layer


@dataclass(frozen=True)
class CoefficientTrait:
    """A number of a pair's coefficients."""

    words: str
    places: int
    more: str  # what it means that a method has more of it


TRAITS = {
    "one_sided": CoefficientTrait("columns of one side alone", 2, "chooses one side for more columns"),
    "spread": CoefficientTrait("spread over columns", 3, "tells columns of a layer further apart"),
    "overlap": CoefficientTrait("cosine of m_c and m_s", 3, "keeps content and style less apart"),
}


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid, whose merges keep their coefficients."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """Both methods' coefficients of the same random columns, and how they differ over all columns."""
    plan = test_grid(work.request)
    if missing := [method for method in METHODS if method not in [row.row_name for row in plan.methods]]:
        raise PaperError(f"grid {plan.title} has no row {missing[0]}; for another base, name a network with --hypernet")
    columns = _columns(work, plan)
    traits = {method: _traits(columns[method]) for method in METHODS}
    differences = with_holm(
        {name: difference_over_pairs(traits[LORARAR][name], traits[ZIPLORA][name]) for name in TRAITS}
    )
    patterns = {method: LayerPatterns.of(of.items()) for method, of in columns.items()}
    alike = over_pairs(_agreement(columns))
    layers = len(patterns[LORARAR].layers)
    return PaperSection(
        title="Figures 3 and 8: the same columns by ZipLoRA and by LoRA.rar",
        paragraphs=[
            f"Coefficients of the merges of {grid_words(plan)}: by ZipLoRA, which optimises them for each pair, and by "
            f"LoRA.rar, of the {layers} layers for which the one has some and the other predicts them. The figure has "
            f"{SHOWN} columns drawn at random of all; every number is of all columns. A column is of one side alone "
            f"where its coefficient is at least {ONE_SIDED:g} of |m_c| + |m_s|."
        ],
        tables=[_table(traits, patterns)],
        figures=[work.picture(_figure(columns), "Coefficients of the same columns (across), pair by pair (down).")],
        says=[
            *(_sentence(name, differences[name]) for name in TRAITS),
            _over_pairs(patterns),
            f"Which columns of a layer get more, they {_judged(alike)}: the correlation of both methods' coefficients "
            f"within a layer of a pair is {interval(alike, signed=True)}.",
        ],
        says_not=[
            "Which of them merges better: pictures say that (Table 1).",
            "That either would choose so on another base, or after more steps: ZipLoRA had as many as the plan says.",
        ],
        numbers={
            "traits": {method: {name: vars(over_pairs(of[name])) for name in TRAITS} for method, of in traits.items()},
            "lorarar_less_ziplora": {name: of and vars(of) for name, of in differences.items()},
            "over_pairs": {method: vars(of.over_pairs()) for method, of in patterns.items()},
            "correlation": vars(alike),
        },
    )


def _columns(work: PaperWork, plan: Plan) -> dict[str, Columns]:
    """The coefficients of both methods' merges, of the layers that are predicted; any seed's merge is the pair's."""
    with open_for_reading(work.request.database) as store:
        with store.reading() as database:
            pictures = collection_pictures(database, plan.collection)
        merges = {(one.row, (one.content, one.style)): one.merge for one in pictures if one.row in METHODS}
        kept = {place: store.coefficients(merge) for place, merge in merges.items() if merge is not None}
    by_method: dict[str, dict[Pair, dict[str, Any]]] = {method: {} for method in METHODS}
    for (method, pair), layers in kept.items():
        by_method[method][pair] = {layer: tuple(map(np.asarray, of)) for layer, of in layers.items()}
    pairs = [pair for pair in by_method[LORARAR] if pair in by_method[ZIPLORA]]
    if not pairs:
        raise PaperError(f"no merge of grid {plan.title} has its coefficients in {work.request.database}; draw it anew")
    shared = [
        layer
        for layer, of in by_method[LORARAR][pairs[0]].items()
        if any(np.ptp(side) > 0 for side in of)  # a rule's constant is no prediction
        and all(layer in by_method[method][pair] for method in METHODS for pair in pairs)
        and len(of[0]) == len(by_method[ZIPLORA][pairs[0]][layer][0])
    ]
    if not shared:
        raise PaperError(
            f"row {LORARAR} of grid {plan.title} has no coefficients of columns that {ZIPLORA} has too; these figures "
            "are of a network that predicts columns, as head columns and head context do"
        )
    return {
        method: {pair: {layer: of[pair][layer] for layer in shared} for pair in pairs}
        for method, of in by_method.items()
    }


def _traits(columns: Columns) -> dict[str, dict[Pair, float]]:
    """The traits of each pair's coefficients."""
    traits: dict[str, dict[Pair, float]] = {name: {} for name in TRAITS}
    for pair, layers in columns.items():
        content, style = (np.concatenate([of[side] for of in layers.values()]) for side in (0, 1))
        sizes = np.abs(content), np.abs(style)
        traits["one_sided"][pair] = float((np.maximum(*sizes) >= ONE_SIDED * np.add(*sizes)).mean())
        traits["spread"][pair] = float(np.sqrt(np.mean([side.var() for of in layers.values() for side in of])))
        traits["overlap"][pair] = float(np.mean([_cosine(*of) for of in layers.values()]))
    return traits


def _agreement(columns: Mapping[str, Columns]) -> dict[Pair, float]:
    """The correlation of both methods' coefficients over columns within a layer and side, the mean of a pair."""
    agreement = {}
    for pair, layers in columns[LORARAR].items():
        others = columns[ZIPLORA][pair]
        values = [
            _cosine(ours - ours.mean(), theirs - theirs.mean())
            for layer, of in layers.items()
            for ours, theirs in zip(of, others[layer], strict=True)
        ]
        agreement[pair] = float(np.mean(values))
    return agreement


def _cosine(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """The cosine of two vectors; 0 where one is nothing."""
    norms = np.linalg.norm(one) * np.linalg.norm(two)
    return float(one @ two / norms) if norms > 0 else 0.0


def _sentence(name: str, difference: Difference | None) -> str:
    """What a trait's difference says of both methods."""
    trait = TRAITS[name]
    told = difference is not None and difference.p is not None and difference.p < APART
    text = interval(difference, trait.places, signed=True)
    if not told or difference is None:
        return f"By {trait.words}, LoRA.rar and ZipLoRA are not told apart: {text}."
    first, second, lead = ("LoRA.rar", "ZipLoRA", difference)
    if difference.value < 0:
        first, second, lead = second, first, difference.negative
    return f"{first} {trait.more} than {second}: {trait.words}, {interval(lead, trait.places)} more."


def _judged(alike: Interval) -> str:
    """Whether the correlation of both methods' coefficients is told from none."""
    if alike.low is None or alike.high is None or alike.low <= 0 <= alike.high:
        return "are not told to agree on"
    return "agree on" if alike.value > 0 else "see the other way round"


def _over_pairs(patterns: Mapping[str, LayerPatterns]) -> str:
    """How far both methods' coefficients go from pair to pair."""
    of = {method: interval(pattern.over_pairs(), 3) for method, pattern in patterns.items()}
    return (
        f"From pair to pair a layer's mean coefficient goes {of[ZIPLORA]} up and down by ZipLoRA, {of[LORARAR]} by "
        "LoRA.rar (standard deviations)."
    )


def _table(traits: Mapping[str, Mapping[str, Mapping[Pair, float]]], patterns: Mapping[str, LayerPatterns]) -> Table:
    head = ["method", *(trait.words for trait in TRAITS.values()), "mean over pairs", "within a layer of a pair"]
    rows = [
        [
            method,
            *(interval(over_pairs(of[name]), trait.places) for name, trait in TRAITS.items()),
            interval(patterns[method].over_pairs(), 3),
            number(patterns[method].within_pairs(), 3),
        ]
        for method, of in traits.items()
    ]
    notes = ["The last two: standard deviations of a layer's mean from pair to pair, and of its columns."]
    return Table("Coefficients by method", head, rows, notes)


def _figure(columns: Mapping[str, Columns]) -> Image:
    """Both methods' coefficients of the same columns, one row a pair."""
    some = next(iter(columns[LORARAR].values()))
    widths = {layer: len(of[0]) for layer, of in some.items()}
    places = [(layer, column) for layer, width in widths.items() for column in range(width)]
    chosen = np.sort(np.random.default_rng(SEED).choice(len(places), min(SHOWN, len(places)), replace=False))
    chosen_places = [places[number] for number in chosen]
    pairs = sorted(columns[LORARAR])
    maps = [
        (f"{words}, {symbol}", [[of[pair][layer][side][column] for layer, column in chosen_places] for pair in pairs])
        for method, words in ((ZIPLORA, "ZipLoRA"), (LORARAR, "LoRA.rar"))
        for side, symbol in enumerate(("m_c", "m_s"))
        for of in [columns[method]]
    ]
    return HeatmapChart(
        title="The same columns by ZipLoRA and by LoRA.rar",
        maps=maps,
        groups=[content for content, _ in pairs],
        x_axis=f"{len(chosen_places)} columns",
        y_axis=f"{len(pairs)} pairs",
        scale="m",
        width=240,
        row_height=14,
    ).draw()
