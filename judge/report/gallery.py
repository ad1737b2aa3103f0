"""A gallery: one self-contained page of references, pictures and verdicts, cell by cell, to be shared.

Pictures are small copies inside the page. Whatever comes from files or the database is escaped by the template.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from judge.errors import JudgeError
from judge.pictures import JudgedPicture, Pair
from judge.protocol import Answer
from judge.report.report import Report
from lorarar import __version__
from lorarar.pictures.images import read_image
from lorarar.util.errors import ImageError
from lorarar.util.files import replacing

SIDE = 192  # of a picture on the page, at most, in pixels
MARKS = {True: "yes", False: "no", None: "unclear"}


@dataclass(frozen=True)
class Shown:
    """A picture on the page."""

    source: str  # a data URL, or empty where the picture cannot be read
    name: str
    subject: str  # yes, no, unclear
    style: str
    correct: str
    answers: str  # how many references said yes


@dataclass(frozen=True)
class Row:
    """A method's pictures of a cell."""

    method: str
    correct: int
    pictures: Sequence[Shown]


@dataclass(frozen=True)
class Cell:
    """A subject in a style."""

    subject: str
    style: str
    subject_references: Sequence[str]
    style_references: Sequence[str]
    rows: Sequence[Row]


def write_gallery(report: Report, path: Path) -> Path:
    """Write the page, whole or not at all.

    Raises:
        JudgeError: it cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("judge.report", "."), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("gallery.html").stream(
        cells=(_cell(pair, members) for pair, members in _cells(report.judged).items()),
        lines=report.lines,
        judge=report.judge,
        version=__version__,
    )
    try:
        with replacing(path) as partial:
            page.dump(str(partial), encoding="utf-8")
    except OSError as error:
        raise JudgeError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def _cells(judged: Sequence[JudgedPicture]) -> dict[Pair, list[JudgedPicture]]:
    cells: dict[Pair, list[JudgedPicture]] = {}
    for one in judged:
        cells.setdefault(one.pair, []).append(one)
    return cells


def _cell(pair: Pair, members: Sequence[JudgedPicture]) -> Cell:
    rows: dict[str, list[JudgedPicture]] = {}
    for one in members:
        rows.setdefault(one.target.row, []).append(one)
    target = members[0].target
    return Cell(
        *pair,
        [_source(path) for path in target.subject_references],
        [_source(path) for path in target.style_references],
        [
            Row(method, sum(one.correct is True for one in ones), [_shown(one) for one in ones])
            for method, ones in rows.items()
        ],
    )


def _shown(one: JudgedPicture) -> Shown:
    return Shown(
        _source(one.target.image),
        one.target.image.name,
        MARKS[one.verdict("subject")],
        MARKS[one.verdict("style")],
        MARKS[one.correct],
        f"subject {_count(one.answers('subject'))}, style {_count(one.answers('style'))}",
    )


def _count(answers: Sequence[Answer]) -> str:
    return f"{answers.count(True)} of {len(answers)}"


@lru_cache(maxsize=256)  # references are shown again and again
def _source(path: Path) -> str:
    try:
        image = read_image(path)
    except ImageError:
        return ""
    image.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    image.save(data, "WEBP", quality=88)
    return f"data:image/webp;base64,{b64encode(data.getvalue()).decode()}"
