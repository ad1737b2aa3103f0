"""Open question 1: performance against the number and the diversity of the LoRAs that a network is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.paper.errors import PaperError
from judge.paper.items.check_1 import SIDES, ZOO
from judge.paper.likeness import BY, Likeness, Side
from judge.paper.network_losses import BESIDE, PLAN, Losses, cells, losses
from judge.paper.networks import PaperNetwork, own_folder, ready, trained
from judge.paper.records import Record, recorded
from judge.paper.section import PaperSection
from lorarar.families import find_base
from lorarar.lora.folders import find_loras
from lorarar.lora.header import provenance_of, read_header
from lorarar.lora.names import lora_name
from lorarar.pictures.scatter_chart import Point, ScatterChart, ScatterPanel
from lorarar.training.options import HypernetOptions
from lorarar.util.errors import HypernetError
from lorarar.util.files import sha256_of
from lorarar.util.formatting import count, in_words, interval, number
from lorarar.util.statistics.crossed import Difference, difference_over_pairs, over_pairs
from lorarar.util.statistics.holm import APART, with_holm
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan
    from lorarar.families import Base
    from lorarar.store.queries import Pair

ITEM, PREFIX = "question-1", "zoo"
SIZES, QUICK_SIZES = (16, 32, 64, 112), (2, 4)  # subjects of the zoo, and as many styles
RECIPE = HypernetOptions(
    head="ranks",
    hidden=128,
    parts=("query", "key", "value", "output", "feed-forward"),
    objective="truth",
    steps=1000,
    pairs=12,
    rate=0.005,
    decay=0.0,
    average=0.98,
)
ART = Path("pocket-build") / "art"  # where ``lorarar pocket zoo`` keeps it
TITLE = "Open question 1: number and diversity of training LoRAs"


def plans(request: PaperRequest) -> Sequence[Plan]:
    """None: nothing is drawn."""
    return []


def section(work: PaperWork) -> PaperSection:
    """The curve of the networks that are there; else that of the record, which is marked as one; else what to do."""
    if work.request.train:
        ready(_networks(work.request), work.request)
    files = {int(name): file for name, file in trained(PREFIX, work.request).items() if name.isdecimal()}
    if files:
        return section_of(_measured(work, dict(sorted(files.items()))), None, work)
    if (record := recorded(ITEM)) is not None:
        return section_of(record.numbers, record, work)
    return PaperSection(
        TITLE,
        [
            f"No network of the zoo lies in {own_folder(work.request)}, as {PREFIX}-16.safetensors, and no record is "
            f"kept. Make a zoo: `lorarar pocket zoo -o {work.request.out / ZOO}`; then `lorarar paper {ITEM} --train`."
        ],
    )


def _networks(request: PaperRequest) -> list[PaperNetwork]:
    """The networks to train, on the first subjects and styles of the zoo.

    Raises:
        PaperError: there is no zoo.
    """
    from lorarar.pocket.art import fetch_designs
    from lorarar.pocket.zoo_concepts import zoo_styles, zoo_subjects

    zoo = request.out / ZOO
    if not find_loras(zoo / "contents"):
        raise PaperError(f"{zoo} has no zoo; make one: lorarar pocket zoo -o {zoo}")
    designs = fetch_designs(ART)
    sizes = QUICK_SIZES if request.quick else SIZES
    subjects = [subject.slug for subject in zoo_subjects(designs, max(sizes))]
    styles = [style.slug for style in zoo_styles(designs, max(sizes))]
    return [
        PaperNetwork(f"{PREFIX}-{size}", tuple(subjects[:size]), tuple(styles[:size]), RECIPE, zoo) for size in sizes
    ]


def _measured(work: PaperWork, files: Mapping[int, Path]) -> dict[str, Any]:
    """The numbers of the curve: losses, differences from what stands beside, and how they go with the size."""
    by_row = losses(work, {str(size): file for size, file in files.items()})
    sizes = [*files]
    differences = {
        other: with_holm({size: difference_over_pairs(by_row[str(size)], by_row[other]) for size in sizes})
        for other in BESIDE
    }
    return {
        "networks": [
            {
                "size": size,
                **_made(files[size]),
                "diversity": _diversity(work, files[size]),
                "loss": vars(over_pairs(by_row[str(size)])),
                "beyond": {other: vars(of[size]) for other, of in differences.items() if of[size]},
            }
            for size in sizes
        ],
        "beside": {other: vars(over_pairs(by_row[other])) for other in BESIDE},
        "doubling": vars(_slope(by_row, sizes)) if len(sizes) > 1 else None,
        "cells": [*map(len, cells(work.request))],
    }


def _made(file: Path) -> dict[str, Any]:
    """What a network was trained on and how, by its header."""
    header = provenance_of(read_header(file, HypernetError))
    training = header.get("training", {})
    on: dict[str, Any] = {side: len(training.get(side, ())) for side in SIDES}
    how = {name: header.get(name) for name in ("head", "objective", "steps", "pairs", "hidden", "parts")}
    return {"sha256": sha256_of(file), **on, **how}


def _diversity(work: PaperWork, file: Path) -> dict[str, dict[str, float]] | None:
    """As how many unlike concepts a network's training LoRAs count; None where the zoo does not lie there."""
    training = provenance_of(read_header(file, HypernetError)).get("training", {})
    zoo: dict[Side, dict[str, Path]] = {side: {lora_name(one): one for one in _zoo(work, side)} for side in SIDES}
    scores: dict[str, dict[str, float]] = {}
    for side, files in zoo.items():
        digests = {sha256_of(one): name for name, one in files.items()}
        names = [digests[of["lora"]] for of in training.get(side, ()) if of.get("lora") in digests]
        if not names or len(names) < len(training[side]):
            return None
        facts = {"zoo": digests, "side": side}
        base = find_base(work.request.base)
        kept = work.kept(f"zoo-{side}", facts, partial(_likeness, files, side, base))
        alike = Likeness.of_record(kept)
        scores[side] = {by: alike.diversity(names, by) for by in BY}
    return scores


def _likeness(files: Mapping[str, Path], side: Side, base: Base) -> dict[str, Any]:
    return Likeness.of(files, side, base).record()


def _zoo(work: PaperWork, side: Side) -> list[Path]:
    return find_loras(work.request.out / ZOO / side)


def _slope(by_row: Losses, sizes: Sequence[int]) -> Difference:
    """By how much the loss goes with each doubling of the number, pair by pair by least squares."""
    steps = [log2(size) for size in sizes]
    middle = sum(steps) / len(steps)
    weights = {
        size: (step - middle) / sum((one - middle) ** 2 for one in steps)
        for size, step in zip(sizes, steps, strict=True)
    }
    pairs: list[Pair] = [*by_row[str(sizes[0])]]
    slopes = {pair: sum(weights[size] * by_row[str(size)][pair] for size in sizes) for pair in pairs}
    slope = difference_over_pairs(slopes, dict.fromkeys(slopes, 0.0))
    assert slope is not None  # a plan has cells
    return slope


def section_of(numbers: Mapping[str, Any], record: Record | None, work: PaperWork) -> PaperSection:
    """The section of such numbers, measured now or recorded."""
    networks, beside = numbers["networks"], numbers["beside"]
    contents, styles = numbers["cells"]
    return PaperSection(
        title=TITLE,
        paragraphs=[
            *([record.words] if record else []),
            _what(networks, contents * styles),
        ],
        tables=[_table(networks, beside)],
        figures=[work.chart(_chart(networks, beside), "Truth loss against number and diversity of training LoRAs.")],
        says=[*_says(numbers), *(_against(networks, other) for other in beside)],
        says_not=[
            "What another training of the same LoRAs would give: each network is one training; intervals are of cells.",
            "That pictures get better as the loss does: it cares for area, not for identity (docs/methods.md).",
            "Number and diversity apart: the larger sets are the more diverse ones, and both grow together.",
            "What a training without true pictures gains: other bases have none.",
        ],
        numbers={**numbers, **({"recorded": dict(record.made)} if record else {})},
    )


def _what(networks: Sequence[Mapping[str, Any]], measured: int) -> str:
    """What was trained on what, and measured by what."""
    how, sizes = networks[-1], in_words([str(one["size"]) for one in networks])
    return (
        f"Networks trained on the first {sizes} subjects and as many styles of a zoo that no measured concept is in or "
        f"near, else alike: head {how['head']}, objective {how['objective']}, {how['steps']} steps of {how['pairs']} "
        f"pairs, parts {', '.join(how['parts'] or ())}. Measured is the truth loss, the base's own training loss on a "
        f"cell's true picture, of the {measured} cells of plan {PLAN}: less is better. Nothing is drawn. Diversity is "
        "Vendi's score (next check 1)."
    )


def _says(numbers: Mapping[str, Any]) -> list[str]:
    if not numbers["doubling"]:
        return []
    slope = Difference(**numbers["doubling"])
    told = slope.p is not None and slope.p < APART
    verb = "is not told to change the loss" if not told else "lowers the loss" if slope.value < 0 else "raises the loss"
    return [f"Each doubling of subjects and of styles {verb}: {interval(slope, 4, signed=True)}."]


def _against(networks: Sequence[Mapping[str, Any]], other: str) -> str:
    """Where the curve stands beside a row: which sizes are ahead of it."""
    differences = {one["size"]: Difference(**one["beyond"][other]) for one in networks if other in one["beyond"]}
    ahead = [str(size) for size, of in differences.items() if of.p is not None and of.p < APART and of.value < 0]
    largest = max(differences)
    words = f"those of {in_words(ahead)} are ahead of {other}" if ahead else f"none is told to be ahead of {other}"
    last = interval(differences[largest], 4, signed=True)
    return f"Of {count(len(differences), 'network')} {words}; that of {largest} less {other} is {last}."


def _table(networks: Sequence[Mapping[str, Any]], beside: Mapping[str, Any]) -> Table:
    def loss(of: Mapping[str, Any]) -> str:
        return f"{number(of['value'], 4)} ({number(of['low'], 4)} to {number(of['high'], 4)})"

    rows = [
        [
            f"{one['size']} subjects and styles",
            *(number(one["diversity"][side]["by_pictures"], 1) if one["diversity"] else "" for side in SIDES),
            loss(one["loss"]),
            *(interval(Difference(**one["beyond"][other]), 4, signed=True) for other in beside),
        ]
        for one in networks
    ]
    rows += [[other, "", "", loss(of), *("" for _ in beside)] for other, of in beside.items()]
    head = ["trained on", "subjects count as", "styles count as", "truth loss", *(f"less {other}" for other in beside)]
    return Table("Truth loss by size of the training set", head, rows)


def _chart(networks: Sequence[Mapping[str, Any]], beside: Mapping[str, Any]) -> ScatterChart:
    def panel(title: str, axis: str, place: Mapping[int, float], *, log_x: bool) -> ScatterPanel:
        points = [
            Point(str(one["size"]), place[one["size"]], one["loss"]["value"])
            for one in networks
            if one["size"] in place
        ]
        lines = [
            Point("", x, of["value"], series)
            for series, of in enumerate(beside.values(), start=1)
            for x in (min(place.values()), max(place.values()))
        ]
        return ScatterPanel(title, axis, "truth loss", [*points, *lines], joined=True, log_x=log_x)

    number_of = {one["size"]: float(one["size"]) for one in networks}
    panels = [panel("by number", "subjects, and as many styles", number_of, log_x=True)]
    diverse = {
        one["size"]: sum(of["by_pictures"] for of in one["diversity"].values()) / len(SIDES)
        for one in networks
        if one["diversity"]
    }
    if diverse:
        panels.append(
            panel("by diversity", "as how many unlike concepts they count, by pictures", diverse, log_x=False)
        )
    note = f"Cells of plan {PLAN}; intervals of the differences are in the table."
    return ScatterChart("Truth loss by training set", ["networks", *beside], panels, note)
