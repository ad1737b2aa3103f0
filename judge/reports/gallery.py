"""A gallery: one self-contained page of references, pictures and verdicts, cell by cell, to be shared.

Pictures are small copies inside the page. Whatever comes from files or the database is escaped by the template, and
loses its control codes there.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from judge.errors import JudgeError
from judge.pairwise.tables import tables
from judge.pictures import JudgedPicture
from judge.protocol import Answer
from judge.reports.report import JudgeReport
from lorarar import __version__
from lorarar.pictures.images import read_image
from lorarar.util.errors import ImageError
from lorarar.util.files import replacing
from lorarar.util.formatting import interval
from lorarar.util.grouping import group_by
from lorarar.util.text import one_line

SIDE = 192  # of a picture on the page, at most, in pixels
MARKS = {True: "yes", False: "no", None: "unclear"}


@dataclass(frozen=True)
class GalleryPicture:
    """A picture on the page."""

    source: str  # a data URL, or empty where the picture cannot be read
    name: str
    subject: str  # yes, no, unclear
    style: str
    correct: str
    answers: str  # how many references said yes


@dataclass(frozen=True)
class GalleryRow:
    """A method's pictures of a cell."""

    method: str
    correct: int
    pictures: Sequence[GalleryPicture]


@dataclass(frozen=True)
class GalleryCell:
    """A subject in a style."""

    subject: str
    style: str
    subject_references: Sequence[str]
    style_references: Sequence[str]
    rows: Sequence[GalleryRow]


def write_gallery(report: JudgeReport, path: Path, notes: Sequence[str] = ()) -> Path:
    """Write the page, whole or not at all.

    Args:
        report: whose pictures are shown, with its figures.
        path: of the page.
        notes: what else is said of the pictures, a paragraph each.

    Raises:
        JudgeError: it cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("judge.reports", "."), autoescape=True, undefined=StrictUndefined, finalize=_harmless
    )
    environment.filters["words"] = interval
    page = environment.get_template("gallery.html").stream(
        cells=(_cell(members) for members in group_by(report.pictures, lambda one: one.pair).values()),
        lines=report.lines,
        brands=dict.fromkeys(report.brands.values()),
        sentences=report.sentences,
        notes=notes,
        judge=report.judge,
        collection=report.collection.label,
        version=__version__,
        pairs=tables(report.pairs, report.collection.label) if report.pairs else [],
    )
    try:
        with replacing(path) as partial:
            page.dump(str(partial), encoding="utf-8")
    except OSError as error:
        raise JudgeError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def _harmless(value: object) -> object:
    """What the template puts on the page: a text without control codes; the template's own markup as it is."""
    return one_line(value) if type(value) is str else value


def _cell(pictures: Sequence[JudgedPicture]) -> GalleryCell:
    target = pictures[0].target
    return GalleryCell(
        subject=target.subject,
        style=target.style,
        subject_references=[_source(path) for path in target.subject_references],
        style_references=[_source(path) for path in target.style_references],
        rows=[_row(method, members) for method, members in group_by(pictures, lambda one: one.target.row).items()],
    )


def _row(method: str, pictures: Sequence[JudgedPicture]) -> GalleryRow:
    return GalleryRow(method, sum(one.correct is True for one in pictures), [_picture(one) for one in pictures])


def _picture(judged: JudgedPicture) -> GalleryPicture:
    return GalleryPicture(
        source=_source(judged.target.image),
        name=judged.target.image.name,
        subject=MARKS[judged.answer("subject")],
        style=MARKS[judged.answer("style")],
        correct=MARKS[judged.correct],
        answers=f"subject {_count(judged.answers('subject'))}, style {_count(judged.answers('style'))}",
    )


def _count(answers: Sequence[Answer]) -> str:
    return f"{answers.count(True)} of {len(answers)}"


@lru_cache(maxsize=256)  # references stand on the page again and again
def _source(path: Path) -> str:
    try:
        image = read_image(path)
    except ImageError:
        return ""
    image.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    image.save(data, "WEBP", quality=88)
    return f"data:image/webp;base64,{b64encode(data.getvalue()).decode()}"
