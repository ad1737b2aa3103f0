"""Stage ``grid``: the test grid by every method, measured by the probe and against the truth.

The page and the sheets it writes are what docs/results.md and the README show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lorarar.bench.plan import Plan, read_plan
from lorarar.bench.run import run_plan
from lorarar.pictures.images import read_image, write_png
from lorarar.pictures.sheet import Sheet
from lorarar.pocket.build_context import Workshop
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject, slug
from lorarar.pocket.difference import mean_difference
from lorarar.pocket.ground_truth import truth
from lorarar.pocket.stages.probe import Probe, as_tensor, load_probe
from lorarar.pocket.training_pictures import FAMILIES
from lorarar.store import Store
from lorarar.util.statistics.bootstrap import Interval, bootstrap

AGAINST = "direct"  # the row that others are compared with, pair by pair
SHOWN = ("direct", "ziplora", "lorarar")  # rows of the README's sheet

_SUBJECTS = {slug(subject.name): subject for subject in SUBJECTS}
_STYLES = {slug(style.name): style for style in STYLES}


@dataclass(frozen=True)
class Drawn:
    """One picture of the grid."""

    row: str
    subject: Subject
    style: Style
    seed: int
    image: Image.Image

    @cached_property
    def far(self) -> float:
        """Its mean squared difference to the true picture, painted once."""
        return mean_difference(self.image, truth(self.subject, self.style))


def run_grid(workshop: Workshop) -> None:
    """Compute what is missing of the grid, measure it, and write page and sheets into the workshop."""
    plan = read_plan("pocket")
    with Store(workshop.folder / "grid.db") as store:
        run_plan(plan, store, workshop.folder / "grid")
        drawn = pictures_of(store, plan)
    true = [Drawn("truth", s, t, 0, truth(s, t)) for s, t in dict.fromkeys((d.subject, d.style) for d in drawn)]
    labels = [row.label for row in plan.methods]
    rows = {label: [d for d in drawn if d.row == label] for label in labels}
    figures = {name: measure(cells) for name, cells in ({"truth": true} | rows).items()}
    for label, cells in rows.items():
        figures[label]["against direct"] = paired(cells, rows[AGAINST])
    titles = {"truth": "true pictures"} | {row.label: row.origin.title for row in plan.methods}
    write_png(_whole_sheet(true, rows, titles), workshop.folder / "results.png")
    write_png(_short_sheet(true, rows, titles), workshop.folder / "sheet.png")
    (workshop.folder / "results.md").write_text(_table(figures, titles))


def pictures_of(store: Store, plan: Plan) -> list[Drawn]:
    """The pictures of a plan's cells, in order."""
    rows = store.rows(
        "SELECT c.row, c.content, c.style, c.seed, i.path FROM cells c JOIN images i ON i.id = c.image "
        "WHERE c.plan = ? ORDER BY c.row, c.content, c.style, c.seed",
        plan.title,
    )
    return [
        Drawn(r["row"], _SUBJECTS[r["content"]], _STYLES[r["style"]], r["seed"], read_image(Path(r["path"])))
        for r in rows
    ]


def measure(cells: Sequence[Drawn]) -> dict[str, Interval]:
    """Class and family as the probe names them, and the root mean squared difference to the truth."""
    probe = load_probe()
    squared = [d.far for d in cells]
    classes, families = _probed(probe, cells)
    pairs = [(d.subject.name, d.style.name) for d in cells]
    return {
        "class": over_pairs(pairs, classes),
        "family": over_pairs(pairs, families),
        "difference": over_pairs(pairs, squared, np.sqrt),
    }


def paired(cells: Sequence[Drawn], others: Sequence[Drawn]) -> Interval:
    """By how much a row's difference to the truth changes against another's, pair by pair: below 0 is nearer.

    Raises:
        ValueError: the rows are of different pairs.
    """
    ours, theirs = (_by_pair(row) for row in (cells, others))
    if ours.keys() != theirs.keys():
        raise ValueError("the rows are of different pairs")
    return over_pairs(list(ours), [ours[pair] - theirs[pair] for pair in ours])


def _by_pair(cells: Sequence[Drawn]) -> dict[tuple[str, str], float]:
    """Root mean squared difference to the truth of each pair."""
    squared: dict[tuple[str, str], list[float]] = {}
    for d in cells:
        squared.setdefault((d.subject.name, d.style.name), []).append(d.far)
    return {pair: float(np.mean(values)) ** 0.5 for pair, values in squared.items()}


def over_pairs(
    pairs: Sequence[tuple[str, str]],
    values: Sequence[float],
    then: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> Interval:
    """A mean over pictures, and its 95 % interval when pairs are drawn anew with all their pictures."""
    groups: dict[tuple[str, str], list[float]] = {}
    for pair, value in zip(pairs, values, strict=True):
        groups.setdefault(pair, []).append(value)
    return bootstrap([float(np.mean(group)) for group in groups.values()], then)


@torch.no_grad()
def _probed(probe: Probe, cells: Sequence[Drawn]) -> tuple[list[float], list[float]]:
    images = torch.stack([as_tensor(d.image) for d in cells])
    of_class, of_family = (torch.cat(part) for part in zip(*map(probe, torch.split(images, 256)), strict=True))
    classes = [CLASS_NAMES.index(d.subject.class_name) for d in cells]
    families = [FAMILIES.index(d.style.family) for d in cells]
    return (
        [float(said == wanted) for said, wanted in zip(of_class.argmax(1).tolist(), classes, strict=True)],
        [float(said == wanted) for said, wanted in zip(of_family.argmax(1).tolist(), families, strict=True)],
    )


def _whole_sheet(true: Sequence[Drawn], rows: Mapping[str, Sequence[Drawn]], titles: Mapping[str, str]) -> Image.Image:
    """Every pair, a row for each method, the first seed of each."""
    names = [f"{d.subject.name} in {d.style.name}" for d in true]
    lines: list[tuple[str, Sequence[Image.Image | None]]] = [(titles["truth"], [d.image for d in true])]
    for label, cells in rows.items():
        lines.append((titles[label], _first(true, cells)))
    return Sheet(names, lines, side=64, label_width=110).draw()


def _short_sheet(true: Sequence[Drawn], rows: Mapping[str, Sequence[Drawn]], titles: Mapping[str, str]) -> Image.Image:
    """Two styles for each subject, by position in the lists alone, and few methods: what fits a first screen."""
    subjects, styles = (list(dict.fromkeys(getattr(d, side).name for d in true)) for side in ("subject", "style"))
    wanted = {(name, styles[(k + shift) % len(styles)]) for k, name in enumerate(subjects) for shift in (0, 1)}
    kept = [d for d in true if (d.subject.name, d.style.name) in wanted]
    return _whole_sheet(kept, {label: rows[label] for label in SHOWN if label in rows}, titles)


def _first(pairs: Sequence[Drawn], cells: Sequence[Drawn]) -> list[Image.Image | None]:
    first: dict[tuple[str, str], Image.Image] = {}
    for d in cells:
        first.setdefault((d.subject.name, d.style.name), d.image)
    return [first.get((d.subject.name, d.style.name)) for d in pairs]


def _table(figures: Mapping[str, Mapping[str, Interval]], titles: Mapping[str, str]) -> str:
    columns = (
        "method",
        "family, by the probe",
        "class, by the probe",
        "difference to the true picture, of 255",
        "the same against direct merging, pair by pair",
    )
    lines = [columns, ("---",) * len(columns)]
    for label, of in figures.items():
        distances = [_number(of[name]) if name in of else "" for name in ("difference", "against direct")]
        lines.append((titles[label], _percent(of["family"]), _percent(of["class"]), *distances))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(measure: Interval) -> str:
    return f"{measure.value:.1f} ({measure.low:.1f} to {measure.high:.1f})"


def _percent(share: Interval) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
