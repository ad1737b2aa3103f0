"""Next check 3: what it costs that columns are predicted apart: heads that differ, trained alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from judge.paper.items.question_1 import RECIPE
from judge.paper.network_losses import BESIDE, PLAN, cells, losses
from judge.paper.networks import PaperNetwork, own_folder, ready, trained
from judge.paper.pocket_concepts import styles_of, subjects_of
from judge.paper.records import Record, recorded
from judge.paper.section import PaperSection
from lorarar.lora.header import provenance_of, read_header
from lorarar.merging.heads.table import HEADS, HeadName
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.util.errors import HypernetError
from lorarar.util.files import sha256_of
from lorarar.util.formatting import bounds, in_words, interval, number
from lorarar.util.statistics.crossed import Difference, difference_over_pairs, over_pairs
from lorarar.util.statistics.holm import APART, with_holm
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

ITEM, PREFIX = "check-3", "head"
APART_HEAD: HeadName = "columns"  # each column alone, the paper's
TOGETHER: HeadName = "context"  # with its layer's others in sight
LEARNT: tuple[HeadName, ...] = (APART_HEAD, TOGETHER, "ranks")  # by ``--train``
STEPS = 300  # of each training, five minutes on one core: on so few LoRAs more do not carry over to others
TITLE = "Next check 3: columns that see their layer's others"
PLACES = 4


def plans(request: PaperRequest) -> Sequence[Plan]:
    """None: nothing is drawn."""
    return []


def section(work: PaperWork) -> PaperSection:
    """The heads' networks that are there; else those of the record, which is marked as one; else what to do."""
    if work.request.train:
        ready(_networks(), work.request)
    heads = [name for name in HEADS if name in trained(PREFIX, work.request)]
    if APART_HEAD in heads and len(heads) > 1:
        files = trained(PREFIX, work.request)
        return section_of(_measured(work, {head: files[head] for head in heads}), None, work)
    if (record := recorded(ITEM)) is not None:
        return section_of(record.numbers, record, work)
    return PaperSection(
        TITLE,
        [
            f"No two networks lie in {own_folder(work.request)}, {PREFIX}-{APART_HEAD}.safetensors with "
            f"{PREFIX}-{TOGETHER}.safetensors, and no record is kept: `lorarar paper {ITEM} --train` trains them."
        ],
    )


def _networks() -> list[PaperNetwork]:
    """A network of each head, on Pocket's training subjects and styles."""
    sides = subjects_of("train"), styles_of("train")
    return [PaperNetwork(f"{PREFIX}-{head}", *sides, replace(RECIPE, head=head, steps=STEPS)) for head in LEARNT]


def _measured(work: PaperWork, files: Mapping[str, Path]) -> dict[str, Any]:
    """Losses of every head, and differences from the paper's and from what stands beside."""
    by_row = losses(work, files)
    of_heads = with_holm(
        {head: difference_over_pairs(by_row[head], by_row[APART_HEAD]) for head in files if head != APART_HEAD}
    )
    beside = {
        other: with_holm({head: difference_over_pairs(by_row[head], by_row[other]) for head in files})
        for other in BESIDE
    }
    return {
        "heads": {
            head: {
                **_made(file),
                "loss": vars(over_pairs(by_row[head])),
                "less_columns": vars(of) if (of := of_heads.get(head)) else None,
                "less": {other: vars(one) for other, differences in beside.items() if (one := differences[head])},
            }
            for head, file in files.items()
        },
        "beside": {other: vars(over_pairs(by_row[other])) for other in BESIDE},
        "cells": [*map(len, cells(work.request))],
    }


def _made(file: Path) -> dict[str, Any]:
    """How a network was trained, by its header, and how many weights it has."""
    header = provenance_of(read_header(file, HypernetError))
    training = header.get("training", {})
    weights = sum(tensor.numel() for tensor in read_hypernet(file).parameters())
    how = {name: header.get(name) for name in ("objective", "steps", "pairs", "hidden", "parts")}
    on = {side: len(training.get(side, ())) for side in ("contents", "styles")}
    return {"sha256": sha256_of(file), "weights": weights, **on, **how}


def section_of(numbers: Mapping[str, Any], record: Record | None, work: PaperWork) -> PaperSection:
    """The section of such numbers, measured now or recorded."""
    heads = numbers["heads"]
    contents, styles = numbers["cells"]
    return PaperSection(
        title=TITLE,
        paragraphs=[
            *([record.words] if record else []),
            "The paper's network predicts each column from that column alone. Head `context` gives every column what "
            f"its layer's others have in common besides ({in_words([*heads])} are compared). All are trained on the "
            f"same LoRAs, with the same objective and as long: {_how(heads)}. Measured is the truth loss of the "
            f"{contents * styles} cells of plan {PLAN}, less is better; nothing is drawn.",
            *_unlike(heads),
        ],
        tables=[_table(heads, numbers["beside"])],
        figures=[work.chart(_chart(heads, numbers["beside"]), "Truth loss by head, with 95 % intervals.")],
        says=[*(_sentence(head, of) for head, of in heads.items() if of["less_columns"]), *map(_beside(heads), BESIDE)],
        says_not=[
            "What another training would give: each network is one training, and intervals are of cells alone.",
            "That no form in which columns see each other helps: these are some of them.",
            "That pictures get better as the loss does: it cares for area, not for identity.",
        ],
        numbers={**numbers, **({"recorded": dict(record.made)} if record else {})},
    )


def _how(heads: Mapping[str, Any]) -> str:
    first = heads[APART_HEAD]
    return (
        f"{first['contents']} subjects and {first['styles']} styles, objective {first['objective']}, {first['steps']} "
        f"steps of {first['pairs']} pairs"
    )


def _unlike(heads: Mapping[str, Any]) -> list[str]:
    """A caution where the trainings were not alike after all."""
    first = heads[APART_HEAD]
    kinds = ("contents", "styles", "objective", "steps", "pairs")
    unlike = [
        f"{head} ({', '.join(f'{kind} {of[kind]}' for kind in kinds if of[kind] != first[kind])})"
        for head, of in heads.items()
        if any(of[kind] != first[kind] for kind in kinds)
    ]
    return [f"Not trained alike, so that its difference may be of that: {in_words(unlike)}."] if unlike else []


def _sentence(head: str, of: Mapping[str, Any]) -> str:
    difference = Difference(**of["less_columns"])
    told = difference.p is not None and difference.p < APART
    verb = "is not told apart from" if not told else "is ahead of" if difference.value < 0 else "is behind"
    chance = "" if difference.p is None else f", p {number(difference.p, 3)} after Holm's correction"
    return f"Head {head} {verb} head {APART_HEAD}: {interval(difference, PLACES, signed=True)} of truth loss{chance}."


def _beside(heads: Mapping[str, Any]) -> Any:
    def sentence(other: str) -> str:
        texts = [
            f"{head} {interval(Difference(**of['less'][other]), PLACES, signed=True)}"
            for head, of in heads.items()
            if other in of["less"]
        ]
        return f"Less {other}: {in_words(texts)}."

    return sentence


def _table(heads: Mapping[str, Any], beside: Mapping[str, Any]) -> Table:
    def loss(of: Mapping[str, Any]) -> str:
        ends = "" if of["low"] is None else f" ({bounds(of['low'], of['high'], PLACES)})"
        return number(of["value"], PLACES) + ends

    rows = [
        [
            f"head {head}",
            f"{of['weights']:,}",
            loss(of["loss"]),
            interval(Difference(**of["less_columns"]), PLACES, signed=True) if of["less_columns"] else "",
        ]
        for head, of in heads.items()
    ]
    rows += [[other, "", loss(of), ""] for other, of in beside.items()]
    return Table("Truth loss by head", ["merge", "weights", "truth loss", f"less {APART_HEAD}"], rows)


def _chart(heads: Mapping[str, Any], beside: Mapping[str, Any]) -> DotChart:
    losses_of = {**{f"head {head}": of["loss"] for head, of in heads.items()}, **beside}
    marks = [
        Mark(row, 0, of["value"], *(of["value"] if of[end] is None else of[end] for end in ("low", "high")))
        for row, of in enumerate(losses_of.values())
    ]
    return DotChart("Truth loss by head", [*losses_of], ["loss"], [Panel("truth loss", marks, None, PLACES)])
