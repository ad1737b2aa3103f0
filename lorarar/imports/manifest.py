"""Manifests: a CSV or JSON Lines file with a row a picture. Every row is checked, and a bad one costs itself alone.

CSV is read as everywhere (``lorarar.util.csv_rows``). A row's path is relative
to the manifest's folder, or whole; it may lead out of that, since a manifest is what says which pictures are meant.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut
from lorarar.util.csv_rows import CsvHeadError, csv_rows, read_lines
from lorarar.util.files import missing, open_regular
from lorarar.util.formatting import listed
from lorarar.util.messages import message
from lorarar.util.text import one_line

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson")
MOST_ROWS = 1_000_000


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
    except (ImportingError, CsvHeadError) as error:
        raise ImportingError(f"{file}: {error}") from None
    except FileNotFoundError:
        raise ImportingError(missing(file)) from None
    except UnicodeDecodeError:
        raise ImportingError(f"{file} is no text in UTF-8") from None
    except OSError as error:
        raise ImportingError(f"{file} cannot be read: {error.strerror or error}") from None
    if others:
        message(f"{file}: columns that are not read: {listed(map(one_line, others))}", "yellow")


def _csv_rows(file: BinaryIO, needs: Collection[str], left_out: LeftOut) -> Iterator[ManifestRow]:
    for line, cells in csv_rows(file, needs, partial(_leave_out, left_out)):
        yield ManifestRow(line, cells)


def _leave_out(left_out: LeftOut, line: int, what: str) -> None:
    """Count a row that has what no row may have."""
    left_out.add(f"the row has {what}", f"line {line}")


def _json_rows(file: BinaryIO, left_out: LeftOut) -> Iterator[ManifestRow]:
    for number, line in read_lines(file, partial(_leave_out, left_out)):
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
