"""A CSV of people's answers on single pictures, row by row; what it holds is untrusted.

Its columns are ``image`` (a path, or the sha256 of the file), ``aspect`` (``subject`` or ``style``), ``yes`` and
``rater``. What a picture is asked with may stand beside: ``references`` (folders or pictures, with | between), and
``subject`` and ``style``, the concepts. Other columns are passed over.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from judge.errors import JudgeError
from judge.questions import ASPECTS, Aspect
from lorarar.util.csv_rows import CsvHeadError, csv_rows
from lorarar.util.errors import reason
from lorarar.util.files import missing

REQUIRED = ("image", "aspect", "yes", "rater")
OPTIONAL = ("references", "subject", "style")
ANSWERS = {**dict.fromkeys(("1", "yes", "true"), True), **dict.fromkeys(("0", "no", "false"), False)}
LARGEST = 1 << 28  # bytes of a file


@dataclass(frozen=True)
class RatingRow:
    """One person's answer about one aspect of one picture, as a file has it."""

    line: int
    image: str
    aspect: Aspect
    yes: bool
    rater: str
    references: str = ""
    subject: str = ""
    style: str = ""

    @property
    def place(self) -> str:
        """Where it stands, and whose it is, for messages."""
        return f"line {self.line}: {self.image}"


LeftOut = Mapping[str, Sequence[str]]  # where rows stand that do not count, by why


@dataclass(frozen=True)
class RatingFile:
    """The rows of a file that can be read."""

    path: Path
    sha256: str
    count: int  # of all rows
    rows: tuple[RatingRow, ...]
    left_out: LeftOut


def read_rows(path: Path) -> RatingFile:
    """The answers in a file; rows that say nothing clear are left out.

    Raises:
        JudgeError: the file cannot be read, is no CSV in UTF-8, or lacks a column.
    """
    data = _read(path)
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise JudgeError(f"{path} is no UTF-8, first in line {line}; save it as CSV in UTF-8") from None
    left_out: dict[str, list[str]] = {}
    rows = []

    def bad(line: int, what: str) -> None:
        left_out.setdefault(f"have {what}", []).append(f"line {line}")

    try:
        for line, cells in csv_rows(io.BytesIO(data), REQUIRED, bad):
            row = _row(line, cells)
            if isinstance(row, RatingRow):
                rows.append(row)
            else:
                left_out.setdefault(row, []).append(f"line {line}: {_excerpt(cells)}")
    except CsvHeadError as error:
        also = f"accepted are {', '.join(REQUIRED)}, and as far as need be {', '.join(OPTIONAL)}"
        raise JudgeError(f"{path}: {error}; {also}") from None
    count = len(rows) + sum(map(len, left_out.values()))
    return RatingFile(path, sha256(data).hexdigest(), count, tuple(rows), left_out)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise JudgeError(f"{path} is a folder; accepted is a CSV file" if path.is_dir() else missing(path))
    try:
        if path.stat().st_size > LARGEST:
            raise JudgeError(f"{path} has over {LARGEST >> 20} MB; accepted is a CSV of {', '.join(REQUIRED)}")
        return path.read_bytes()
    except OSError as error:
        raise JudgeError(f"{path} cannot be read: {reason(error)}") from None


def _row(line: int, cells: Mapping[str, str]) -> RatingRow | str:
    """The answer of a row, or why it has none."""
    aspect = next((aspect for aspect in ASPECTS if cells.get("aspect", "").casefold() == aspect), None)
    yes = ANSWERS.get(cells.get("yes", "").casefold())
    if not cells["image"] or "\0" in cells["image"]:
        return "name no picture"
    if aspect is None:
        return f"have another aspect than {' or '.join(ASPECTS)}"
    if yes is None:
        return "say neither 1 (yes, true) nor 0 (no, false)"
    if not cells.get("rater"):
        return "name no rater"
    return RatingRow(
        line=line,
        image=cells["image"],
        aspect=aspect,
        yes=yes,
        rater=cells["rater"],
        **{name: cells.get(name, "") for name in OPTIONAL},
    )


def _excerpt(cells: Mapping[str, str]) -> str:
    """What a row that does not count says, shortened."""
    return ", ".join(cells.get(name, "")[:40] for name in REQUIRED)
