"""A section of the results: what one item came to, as text, tables, figures and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lorarar.util.tables import Table, as_markdown, markdown_text


@dataclass(frozen=True)
class PaperFigure:
    """An image beside the results."""

    file: str  # its name in the folder of results
    caption: str


@dataclass(frozen=True)
class PaperSection:
    """What an item came to; every number in it is of the run."""

    title: str
    paragraphs: Sequence[str] = ()  # what was done, and to which question
    tables: Sequence[Table] = ()
    figures: Sequence[PaperFigure] = ()
    says: Sequence[str] = ()  # what follows from the figures, each with its interval
    says_not: Sequence[str] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)  # all figures, for machines

    def record(self) -> dict[str, Any]:
        """The section as JSON has it."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> PaperSection:
        """The section of a record.

        Raises:
            KeyError, TypeError: it is none.
        """
        tables = [Table(**table) for table in record["tables"]]
        figures = [PaperFigure(**figure) for figure in record["figures"]]
        return cls(**{**record, "tables": tables, "figures": figures})

    def markdown(self) -> str:
        """The section below a heading of its own."""
        parts = [f"## {markdown_text(self.title)}", *map(markdown_text, self.paragraphs)]
        for figure in self.figures:
            caption = markdown_text(figure.caption)
            parts += [f"![{caption}]({figure.file})", f"*{caption}*"]
        if self.tables:
            parts.append(as_markdown(self.tables).strip())
        for head, points in (("What it says", self.says), ("What it does not say", self.says_not)):
            if points:
                parts += [f"{head}:", "\n".join(f"- {markdown_text(point)}" for point in points)]
        return "\n\n".join(parts) + "\n"
