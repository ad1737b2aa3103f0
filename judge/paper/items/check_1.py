"""Next check 1: how diverse the training set is, and how near it held-out concepts lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from judge.paper.likeness import BY, Likeness, Side
from judge.paper.pocket_concepts import styles_of, subjects_of
from judge.paper.records import Record, recorded
from judge.paper.section import PaperFigure, PaperSection
from lorarar.families import find_base
from lorarar.lora.folders import find_loras
from lorarar.lora.names import lora_name
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.pictures.folders import find_images
from lorarar.pictures.images import read_image
from lorarar.pictures.references import references_folder
from lorarar.pictures.sheet import Sheet
from lorarar.util.files import sha256_of
from lorarar.util.formatting import interval, number
from lorarar.util.statistics.bootstrap import RESAMPLES, SEED, Interval, bootstrap
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

ITEM = "check-1"
SIDES: Mapping[Side, str] = {"contents": "subjects", "styles": "styles"}
ZOO = "zoo"  # below the folder of results: a folder or a link to one, of ``lorarar pocket zoo``
PARAGRAPH = (
    "How alike concepts are: the cosine of their LoRAs' updates, taken from the factors, and the cosine of their "
    "pictures, of subjects by the customary DINO, of styles by the customary CLIP. A distance is one less the cosine. "
    "The yardstick is the training set itself: how far each of its concepts is from its nearest other. Diversity is "
    "Vendi's score: as how many concepts that have nothing in common a set counts."
)


def plans(request: PaperRequest) -> Sequence[Plan]:
    """None: nothing is drawn."""
    return []


def likeness_of(work: PaperWork, side: Side, zoo: bool = False) -> Likeness:
    """The likeness of Pocket's concepts of a side, with those of the zoo where that is there and asked for."""
    base = find_base(work.request.base)
    folder = getattr(base, side)
    loras = {lora_name(file): file for file in find_loras(folder)}
    if zoo:
        loras |= zoo_loras(work, side)
    facts = {"loras": {name: sha256_of(file) for name, file in loras.items()}, "side": side}
    return Likeness.of_record(
        work.kept(f"{side}{'-zoo' * zoo}", facts, lambda: Likeness.of(loras, side, base).record())
    )


def zoo_loras(work: PaperWork, side: Side) -> dict[str, Path]:
    """The zoo's LoRAs of a side; none where it is not there."""
    return {f"zoo: {lora_name(file)}": file for file in find_loras(work.request.out / ZOO / side)}


def split_names(side: Side) -> tuple[list[str], list[str]]:
    """The concepts of a side that are trained on, and those that are held out."""
    of = subjects_of if side == "contents" else styles_of
    return [*of("train")], [*of("validation"), *of("test")]


def section(work: PaperWork) -> PaperSection:
    """Nearest neighbours of held-out concepts, beside those of training concepts among themselves."""
    tables, figures, says, numbers = list[Table](), list[PaperFigure](), list[str](), dict[str, Any]()
    for side, words in SIDES.items():
        alike, (training, held) = likeness_of(work, side, zoo=True), split_names(side)
        zoo = [*zoo_loras(work, side)]
        sets = {"training": training, **({"zoo": zoo} if zoo else {})}
        tables.append(_nearest_table(alike, words, held, sets))
        figures += [
            work.chart(_chart(alike, words, training, held), f"Distances of {words} from the training set.", words),
            work.picture(
                _sheet(work, side, alike, held, sets), f"Held-out {words} and their nearest ones.", f"{words}-near"
            ),
        ]
        numbers[words] = _numbers(alike, training, held, sets)
        says += [_coverage(alike, words, training, held, by) for by in BY]
        says += [_diversity(alike, words, sets, by) for by in BY]
    has_zoo = bool(zoo_loras(work, "contents"))
    record = None if has_zoo else recorded(ITEM)
    return PaperSection(
        title="Next check 1: the diversity of the training set",
        paragraphs=[
            PARAGRAPH,
        ],
        tables=[*tables, *([_recorded_table(record)] if record else [])],
        figures=figures,
        says=says,
        says_not=[
            "That what is near is merged well: that is open question 2.",
            "That the held-out concepts are those that people will bring: they were chosen with the training set.",
            *([] if has_zoo else [f"Anything measured now of the zoo: none lies at {work.request.out / ZOO}."]),
        ],
        numbers={**numbers, **({"recorded": dict(record.numbers), "record": dict(record.made)} if record else {})},
    )


def _recorded_table(record: Record) -> Table:
    """What was recorded of the zoo, which is not shipped, marked as recorded."""
    rows = []
    for words in SIDES.values():
        for by, text in BY.items():
            of = record.numbers[words][by]
            for name in of["diversity"]:
                near = interval(Interval(**of["held_out_nearest"][name]))
                rows.append([words, text, name, number(of["diversity"][name], 1), near])
    head = ["of", "compared", "set", "counts as", "held-out ones' distance from its nearest"]
    return Table("RECORDED: with a zoo of many more subjects and styles", head, rows, [record.words])


def _distances(alike: Likeness, names: Sequence[str], others: Sequence[str], by: str) -> list[float]:
    """Each concept's distance from the nearest of others."""
    return [alike.nearest(name, others, by)[1] for name in names]


def beyond(one: Sequence[float], two: Sequence[float]) -> Interval:
    """By how much the mean of one sample exceeds another's, both drawn anew."""
    generator = np.random.default_rng(SEED)
    draws = [generator.choice(np.asarray(of), (RESAMPLES, len(of))).mean(axis=1) for of in (one, two)]
    return Interval.of_draws(float(np.mean(one) - np.mean(two)), draws[0] - draws[1])


def _coverage(alike: Likeness, words: str, training: Sequence[str], held: Sequence[str], by: str) -> str:
    """Whether held-out concepts lie farther from the training set than its own from one another."""
    own, theirs = _distances(alike, training, training, by), _distances(alike, held, training, by)
    difference = beyond(theirs, own)
    low, high = difference.low or 0.0, difference.high or 0.0
    told = "farther from" if low > 0 else "nearer to" if high < 0 else "not told to be farther from or nearer to"
    return (
        f"{words.capitalize()} that are held out are {told} the nearest training one {BY[by]} than training ones are "
        f"from each other: {interval(bootstrap(theirs))} against {interval(bootstrap(own))}, "
        f"{interval(difference, signed=True)}."
    )


def _diversity(alike: Likeness, words: str, sets: Mapping[str, Sequence[str]], by: str) -> str:
    """As how many unlike concepts each set counts."""
    parts = [
        f"{len(names)} {words} of the {name} set count as {alike.diversity(names, by):.1f}"
        for name, names in sets.items()
    ]
    return f"Compared {BY[by]}, {' and '.join(parts)} that have nothing in common."


def _nearest_table(alike: Likeness, words: str, held: Sequence[str], sets: Mapping[str, Sequence[str]]) -> Table:
    head, rows = [words, *(f"nearest of {name}, {of}" for name in sets for of in BY.values())], []
    for name in held:
        cells = [alike.nearest(name, others, by) for others in sets.values() for by in BY]
        rows.append([name, *(f"{nearest.removeprefix('zoo: ')} ({number(distance)})" for nearest, distance in cells)])
    return Table(f"Held-out {words} and what they are nearest to (distance)", head, rows)


def _chart(alike: Likeness, words: str, training: Sequence[str], held: Sequence[str]) -> DotChart:
    rows = [(f"{name} (training)", name) for name in training] + [(name, name) for name in held]
    panels = [
        Panel(
            text,
            [
                Mark(row, int(name in held), near, near, alike.mean_distance(name, training, by))
                for row, (_, name) in enumerate(rows)
                for near in [alike.nearest(name, training, by)[1]]
            ],
            None,
        )
        for by, text in BY.items()
    ]
    note = "A dot is the distance from the nearest other training concept; the line ends at the mean of all."
    return DotChart(
        f"{words.capitalize()}: distances from the training set",
        [row for row, _ in rows],
        ["training", "held out"],
        panels,
        note,
    )


def _sheet(work: PaperWork, side: Side, alike: Likeness, held: Sequence[str], sets: Mapping[str, Sequence[str]]) -> Any:
    folder = getattr(find_base(work.request.base), side)
    files = {lora_name(file): file for file in find_loras(folder)} | zoo_loras(work, side)

    def picture(name: str) -> Any:
        return read_image(find_images(references_folder(files[name]))[0])

    columns = ["held out", *(f"{name}, {of}" for name in sets for of in BY.values())]
    rows = [
        (name, [picture(name), *(picture(alike.nearest(name, others, by)[0]) for others in sets.values() for by in BY)])
        for name in held
    ]
    return Sheet(columns, rows, f"Held-out {SIDES[side]}, and the nearest that a network has seen").draw()


def _numbers(
    alike: Likeness, training: Sequence[str], held: Sequence[str], sets: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    return {
        by: {
            "diversity": {name: alike.diversity(names, by) for name, names in sets.items()},
            "training_nearest": vars(bootstrap(_distances(alike, training, training, by))),
            "held_out_nearest": {
                name: vars(bootstrap(_distances(alike, held, names, by))) for name, names in sets.items()
            },
            "held_out_beyond_training": vars(
                beyond(_distances(alike, held, training, by), _distances(alike, training, training, by))
            ),
            "nearest": {name: {of: alike.nearest(name, names, by) for of, names in sets.items()} for name in held},
        }
        for by in BY
    }
