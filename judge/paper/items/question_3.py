"""Open question 3: how merging coefficients vary over a model's layers, and how much they depend on the pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from judge.paper.given_loras import lora_files, network_file, predicted
from judge.paper.layer_patterns import LayerPatterns, PatternGroup
from judge.paper.section import PaperSection
from judge.paper.sentences import record
from lorarar.merging.means_file import find_means
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.pictures.heatmap_chart import HeatmapChart
from lorarar.util.files import sha256_of
from lorarar.util.formatting import in_words, interval, number
from lorarar.util.statistics.crossed import Difference, difference_over_pairs, over_pairs
from lorarar.util.statistics.holm import APART, with_holm
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan
    from lorarar.merging.means import Looks

MOST, QUICK = 240, 6  # pairs that are looked at
SHOWN = 40  # pairs of the heatmap
NAMED = 3  # groups of layers that a sentence names
SIDES = ("content", "style")
TITLE = "Open question 3: coefficients by block and part"


def plans(request: PaperRequest) -> Sequence[Plan]:
    """None: nothing is drawn."""
    return []


def section(work: PaperWork) -> PaperSection:
    """Where content and style have their coefficients, and how far these go from pair to pair."""
    most = QUICK if work.request.quick else MOST
    network = network_file(work.request)
    sides = [{name: sha256_of(file) for name, file in side.items()} for side in lora_files(work.request)]
    facts = {"network": sha256_of(network), "sides": sides, "most": most}
    patterns = LayerPatterns.of_record(
        work.kept("patterns", facts, lambda: LayerPatterns.of(predicted(work.request, most)).record())
    )
    leanings = _leanings(patterns)
    means = find_means(network)
    return PaperSection(
        title=TITLE,
        paragraphs=[
            f"{network.name} for {len(patterns.pairs)} of {len(sides[0]) * len(sides[1])} pairs of {len(sides[0])} "
            f"contents and {len(sides[1])} styles, an even sample, those it was trained on among them: the "
            f"coefficients of the {len(patterns.layers)} layers that it predicts, the mean over a layer's columns "
            "(of its rank components where the network predicts those). Nothing is drawn. Spreads are standard "
            "deviations, the root mean square over layers and both sides."
        ],
        tables=[_table(patterns, leanings)],
        figures=[
            work.picture(
                _heatmap(patterns), "Mean coefficient of every layer (rows), pair by pair (columns).", "pairs"
            ),
            work.chart(_chart(patterns), "Mean coefficients by block and part, with 95 % intervals.", "groups"),
        ],
        says=[*_where(leanings), _looks_at_input(patterns), *([_of_empty(means.looks)] if means else [])],
        says_not=[
            "That a layer matters: a coefficient says how much of an update is taken, not what the update does.",
            "Where content and style should be taken from: it is what one training found, of one base.",
            "What a difference between groups is of: layers of other widths have input layers of their own.",
        ],
        numbers={
            "groups": {group.words: _numbers(patterns, layers) for group, layers in patterns.groups.items()},
            "content_less_style": record({group.words: of for group, of in leanings.items()}),
            "over_pairs": vars(patterns.over_pairs()),
            "within_pairs": patterns.within_pairs(),
            "over_training_pairs": means.looks.record() if means else None,
        },
    )


def _leanings(patterns: LayerPatterns) -> dict[PatternGroup, Difference]:
    """By how much content's coefficient exceeds style's in each group, p adjusted for all groups."""
    differences = {
        group: difference_over_pairs(*(patterns.by_pair(layers, side) for side in (0, 1)))
        for group, layers in patterns.groups.items()
    }
    return {group: one for group, one in with_holm(differences).items() if one is not None}


def _where(leanings: Mapping[PatternGroup, Difference]) -> list[str]:
    """Where content's coefficients exceed style's, where it is the other way round, and how often neither is told."""
    told = {group: one for group, one in leanings.items() if one.p is not None and one.p < APART}
    sentences = []
    for more, less, sign in (("content", "style", 1), ("style", "content", -1)):
        leads = {group: one if sign > 0 else one.negative for group, one in told.items() if sign * one.value > 0}
        if leads:
            most = sorted(leads, key=lambda group: -leads[group].value)[:NAMED]
            named = in_words([f"{group.words}, {interval(leads[group])}" for group in most])
            sentences.append(
                f"It takes more of {more} than of {less} in {len(leads)} of {len(leanings)} groups of layers; by most "
                f"in {named}."
            )
    if level := len(leanings) - len(told):
        sentences.append(f"In {level} of {len(leanings)} groups neither side is told to be taken more.")
    return sentences


def _looks_at_input(patterns: LayerPatterns) -> str:
    """How much coefficients go from pair to pair, beside their spread within one."""
    over, within = patterns.over_pairs(), patterns.within_pairs()
    times = f"{within / over.value:.1f} times as far" if over.value > 0 else "however far"
    return (
        f"From pair to pair a layer's mean coefficient goes {interval(over, 3)} up and down; the columns of a layer of "
        f"one pair go {within:.3f}, {times}."
    )


def _of_empty(looks: Looks) -> str:
    content, style = (number(value, signed=True) for value in looks.empty)
    return f"To two LoRAs that change nothing it gives {content} of content and {style} of style, on average."


def _table(patterns: LayerPatterns, leanings: Mapping[PatternGroup, Difference]) -> Table:
    head = ["block", "attention", "part", "layers", "m_c", "m_s", "m_c - m_s", "over pairs", "within pairs"]
    rows = []
    for group, layers in patterns.groups.items():
        means = [interval(over_pairs(patterns.by_pair(layers, side))) for side in (0, 1)]
        leaning = interval(leanings.get(group), signed=True)
        spreads = [interval(patterns.over_pairs(layers), 3), number(patterns.within_pairs(layers), 3)]
        rows.append([group.short_block, group.kind, group.part, str(len(layers)), *means, leaning, *spreads])
    return Table("Coefficients by block and part", head, rows)


def _heatmap(patterns: LayerPatterns) -> Any:
    groups = [
        " ".join(filter(None, (group.short_block, group.kind.removesuffix(" attention").removesuffix("-attention"))))
        for group in map(PatternGroup.of, patterns.layers)
    ]
    size = len(patterns.layers)
    # rows of one label must leave room for the letters of the next
    narrowest = min(len(list(members)) for _, members in groupby(groups))
    return HeatmapChart(
        title="Coefficients that a hypernetwork predicts",
        maps=[(f"m of {side}", patterns.means[:, :SHOWN, place].tolist()) for place, side in enumerate(SIDES)],
        groups=groups,
        x_axis=f"{min(SHOWN, len(patterns.pairs))} pairs",
        y_axis=f"{size} layers",
        scale="mean",
        row_height=max(6, -(-14 // narrowest)),
    ).draw()


def _chart(patterns: LayerPatterns) -> DotChart:
    groups = patterns.groups
    marks = [
        Mark.of(row, side, over_pairs(patterns.by_pair(layers, side)))
        for row, layers in enumerate(groups.values())
        for side in (0, 1)
    ]
    spread = [Mark.of(row, 2, patterns.over_pairs(layers)) for row, layers in enumerate(groups.values())]
    spread += [
        Mark(row, 3, within, within, within)
        for row, layers in enumerate(groups.values())
        for within in [patterns.within_pairs(layers)]
    ]
    return DotChart(
        title="Coefficients by block and part",
        rows=[group.words for group in groups],
        series=["content", "style", "over pairs", "within a pair"],
        panels=[Panel("mean coefficient", marks, None), Panel("spread", spread, None, 3)],
        note="Left: m of content and of style. Right: how far a layer's mean goes from pair to pair, and its columns "
        "within one pair (standard deviations).",
    )


def _numbers(patterns: LayerPatterns, layers: Sequence[int]) -> dict[str, Any]:
    means = {side: vars(over_pairs(patterns.by_pair(layers, place))) for place, side in enumerate(SIDES)}
    spreads = {"over_pairs": vars(patterns.over_pairs(layers)), "within_pairs": patterns.within_pairs(layers)}
    return {"layers": len(layers), **means, **spreads}
