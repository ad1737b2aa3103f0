"""The page of results: ``results.json`` has every section with its numbers, ``results.md`` shows them.

Invariant: the page is made of what ``results.json`` holds, in the order of the table of items; a section that is made
again takes the place of its last form, and the others stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judge.paper.errors import PaperError
from judge.paper.request import USUAL
from judge.paper.section import PaperSection
from lorarar.util.files import replacing
from lorarar.util.json_text import as_json
from lorarar.util.locks import locked

RECORDS, PAGE = "results.json", "results.md"
LEAD = (
    "# The paper's tables, figures and questions, measured",
    "Each section is made by `lorarar paper ITEM`. Figures in brackets are 95 % intervals, with subjects and styles "
    "drawn anew where a grid is crossed over both. The paper's own figures, of SDXL and LLaVA-Critic-7B, stand in "
    "columns that say so and are no measure of these.",
)


@dataclass(frozen=True)
class ResultsPage:
    """The results in a folder."""

    folder: Path

    def records(self) -> dict[str, dict[str, Any]]:
        """What is there of each item, by its name: its section, and what it was made with; empty where nothing is.

        Raises:
            PaperError: the file is no such page.
        """
        path = self.folder / RECORDS
        try:
            items = json.loads(path.read_text())["items"]
            page_of(items)
        except FileNotFoundError:
            self._check_page()
            return {}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise PaperError(
                f"{path} holds no results of items ({error}); move it away, or choose another -o"
            ) from None
        return dict(items)

    def _check_page(self) -> None:
        """Refuse a page of other words, which would be written over.

        Raises:
            PaperError: it is none of ours.
        """
        path = self.folder / PAGE
        try:
            is_ours = not path.exists() or path.read_text(encoding="utf-8").startswith(LEAD[0])
        except (OSError, ValueError):
            is_ours = False
        if not is_ours:
            raise PaperError(f"{path} is no page of this command; move it away, or choose another -o")

    def put(self, name: str, section: PaperSection, made: Mapping[str, Any], order: Iterable[str]) -> None:
        """Add a section, or put it in the place of its last form.

        Args:
            name: of its item.
            section: what it came to.
            made: what it was made with: base, seeds, day, version, seconds.
            order: the names of all items in their order.

        Raises:
            PaperError: the folder holds something else, or cannot be written.
        """
        try:
            with locked(self.folder / ".results.lock", wait=True):
                records = self.records() | {name: {"made": dict(made), "section": section.record()}}
                names = [one for one in order if one in records]
                names += [one for one in records if one not in names]
                records = {one: records[one] for one in names}
                self._write(RECORDS, as_json({"items": records}))
                self._write(PAGE, page_of(records))
        except OSError as error:
            raise PaperError(f"{self.folder} cannot be written: {error.strerror or error}") from None

    def _write(self, name: str, text: str) -> None:
        with replacing(self.folder / name) as partial:
            partial.write_text(text, encoding="utf-8")


def page_of(records: Mapping[str, Mapping[str, Any]]) -> str:
    """The page as Markdown."""
    parts = ["\n\n".join(LEAD) + "\n"]
    for name, record in records.items():
        section = PaperSection.of_record(record["section"])
        parts.append(f"{section.markdown()}\n{_made(name, record['made'])}\n")
    return "\n".join(parts)


def _made(name: str, made: Mapping[str, Any]) -> str:
    """How a section was made, in a line."""
    size = "a smoke test of two subjects and styles in four steps: its figures say nothing" if made["quick"] else ""
    size = size or f"{made['seeds']} pictures of each pair at most"
    flags = " --quick" if made["quick"] else "" if made["seeds"] == USUAL else f" -n {made['seeds']}"
    return (
        f"*`lorarar paper {name}{flags}` on {made['base']}, {size}; {made['day']}, version {made['version']}, "
        f"{made['seconds']:.0f} s on {made['cores']} cores, without what earlier runs had left there.*"
    )
