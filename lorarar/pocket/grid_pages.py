"""The page and the sheets of Pocket's test grid: what docs/results.md and the README show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image

from lorarar.pictures.sheet import Sheet
from lorarar.pocket.grid_measures import GridPicture
from lorarar.util.formatting import interval, percent
from lorarar.util.statistics.bootstrap import Interval

COLUMNS = (
    "method",
    "family, by the probe",
    "class, by the probe",
    "difference to the true picture, of 255",
    "the same against direct merging, pair by pair",
)
README_ROWS = ("direct", "ziplora", "lorarar")

Rows = Mapping[str, Sequence[GridPicture]]  # by row name


def whole_sheet(true: Sequence[GridPicture], rows: Rows, titles: Mapping[str, str]) -> Image.Image:
    """Every pair, a row for each method, the first seed of each."""
    columns = [f"{picture.subject.name} in {picture.style.name}" for picture in true]
    lines: list[tuple[str, Sequence[Image.Image | None]]] = [(titles["truth"], [picture.image for picture in true])]
    lines += [(titles[name], _first_of_pairs(true, pictures)) for name, pictures in rows.items()]
    return Sheet(columns, lines, side=64, label_width=110).draw()


def readme_sheet(true: Sequence[GridPicture], rows: Rows, titles: Mapping[str, str]) -> Image.Image:
    """Two styles for each subject, by position in the lists alone, and few methods: what fits a first screen."""
    subjects, styles = (list(dict.fromkeys(names)) for names in zip(*(picture.pair for picture in true), strict=True))
    pairs = {(name, styles[(k + shift) % len(styles)]) for k, name in enumerate(subjects) for shift in (0, 1)}
    few = [picture for picture in true if picture.pair in pairs]
    return whole_sheet(few, {name: rows[name] for name in README_ROWS if name in rows}, titles)


def results_table(figures: Mapping[str, Mapping[str, Interval]], titles: Mapping[str, str]) -> str:
    """The figures of every row as a Markdown table."""
    lines = [COLUMNS, ("---",) * len(COLUMNS)]
    for name, row in figures.items():
        differences = [interval(row.get(key), 1, always=True) for key in ("difference", "against direct")]
        lines.append((titles[name], percent(row["family"]), percent(row["class"]), *differences))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _first_of_pairs(true: Sequence[GridPicture], pictures: Sequence[GridPicture]) -> list[Image.Image | None]:
    first: dict[tuple[str, str], Image.Image] = {}
    for picture in pictures:
        first.setdefault(picture.pair, picture.image)
    return [first.get(picture.pair) for picture in true]
