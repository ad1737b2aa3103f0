"""Manifests: a CSV or JSON Lines file with a row a picture. Every row is checked, and a bad one costs itself alone.

CSV is in UTF-8, with a head that names the columns, separated by commas, semicolons or tabs. A row's path is relative
to the manifest's folder, or whole; it may lead out of that, since a manifest is what says which pictures are meant.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut
from lorarar.util.files import missing, open_regular
from lorarar.util.formatting import listed
from lorarar.util.messages import message
from lorarar.util.text import one_line

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson")
MOST_ROWS, LONGEST_ROW = 1_000_000, 64 * 1024  # bytes of a row


@dataclass(frozen=True)
class ManifestRow:
    """A row of a manifest: its values by column, without blanks around them; one that is empty is not said."""

    number: int  # of the line
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """The row for people: its line, and the path that it says."""
        return f"line {self.number} ({one_line(self.values['path'])[:80]})" if self.values.get("path") else self.line

    @property
    def line(self) -> str:
        """The row's line for people."""
        return f"line {self.number}"

    def path(self, manifest: Path, left_out: LeftOut) -> Path | None:
        """The whole path that it says; None, and counted, where it says none."""
        text = self.values.get("path", "")
        if not text or "\0" in text:
            left_out.add("no path is said", self.line)
            return None
        return manifest.absolute().parent / text


def is_manifest(path: Path) -> bool:
    """Whether a path names a manifest, and no folder: it is a file, or ends as one."""
    return not path.is_dir() and (path.is_file() or _has_ending(path))


def _has_ending(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def read_manifest(
    file: Path, columns: Sequence[str], needs: Collection[str], left_out: LeftOut
) -> Iterator[ManifestRow]:
    """The rows of a manifest; those that are none are counted.

    Args:
        file: the manifest.
        columns: that may be there; others are said once and left out.
        needs: those that a CSV's head has to name.
        left_out: where bad rows are counted.

    Raises:
        ImportingError: it cannot be read, is of another kind, or lacks a column.
    """
    if not _has_ending(file):
        raise ImportingError(f"{file} is no manifest; accepted are a folder, and files ending in {', '.join(ENDINGS)}")
    others: dict[str, None] = {}
    try:
        with open_regular(file) as lines:
            is_json = file.suffix.lower() in (".jsonl", ".ndjson")
            rows = _json_rows(lines, left_out) if is_json else _csv_rows(lines, needs, left_out)
            for number, row in enumerate(rows, 1):
                if number > MOST_ROWS:
                    raise ImportingError(f"more than {MOST_ROWS} rows")
                others |= dict.fromkeys(name for name in row.values if name not in columns)
                yield row
    except ImportingError as error:
        raise ImportingError(f"{file}: {error}") from None
    except FileNotFoundError:
        raise ImportingError(missing(file)) from None
    except UnicodeDecodeError:
        raise ImportingError(f"{file} is no text in UTF-8") from None
    except OSError as error:
        raise ImportingError(f"{file} cannot be read: {error.strerror or error}") from None
    if others:
        message(f"{file}: columns that are not read: {listed(map(one_line, others))}", "yellow")


def _lines(file: BinaryIO, left_out: LeftOut) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers; those that are too long are counted.

    Raises:
        UnicodeDecodeError: one is no UTF-8.
    """
    number = 0
    while line := file.readline(LONGEST_ROW + 1):
        number += 1
        if len(line) > LONGEST_ROW:
            left_out.add(f"the row is longer than {LONGEST_ROW} bytes", f"line {number}")
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_ROW)
            continue
        yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")


def _json_rows(file: BinaryIO, left_out: LeftOut) -> Iterator[ManifestRow]:
    for number, line in _lines(file, left_out):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            left_out.add("the row is no JSON object", f"line {number}")
            continue
        texts = {str(name): _text(one) for name, one in value.items()}
        if bad := next((name for name, text in texts.items() if text is None), None):
            left_out.add(f"the value of {one_line(bad)[:40]} is neither text nor a whole number", f"line {number}")
            continue
        yield ManifestRow(number, {name: text.strip() for name, text in texts.items() if text is not None})


def _text(value: object) -> str | None:
    """The text of a value; None where it is neither text, nor a whole number, nor null."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)) else None


def _csv_rows(file: BinaryIO, needs: Collection[str], left_out: LeftOut) -> Iterator[ManifestRow]:
    numbered = _lines(file, left_out)
    _, head = next(numbered, (1, ""))
    delimiter = max(",;\t", key=head.count)
    columns = [column.strip().lower() for column in next(csv.reader([head], delimiter=delimiter), [])]
    if lacking := [column for column in needs if column not in columns]:
        there = listed(map(one_line, columns)) or "none"
        raise ImportingError(f"there is no column {', '.join(lacking)}; its first line names {there}")
    if len({*columns}) < len(columns):
        raise ImportingError("its first line names a column twice")
    at = [1]  # the line that was read last: a row may have several, and one that is too long is passed over
    rows = csv.reader(_texts(numbered, at), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as error:
            left_out.add(f"the row is no CSV ({error})", f"line {at[0]}")
            continue
        if cells is None:
            return
        if len(cells) > len(columns):
            left_out.add("the row has more cells than the head", f"line {at[0]}")
        elif cells:
            yield ManifestRow(at[0], {column: cell.strip() for column, cell in zip(columns, cells, strict=False)})


def _texts(numbered: Iterator[tuple[int, str]], at: list[int]) -> Iterator[str]:
    """Lines without their numbers, each of which is noted in ``at``."""
    for at[0], line in numbered:
        yield line
