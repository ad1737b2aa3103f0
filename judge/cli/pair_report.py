"""What ``lorarar judge report`` prints where pictures were judged in pairs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.cli.console import print_json, print_text
from lorarar.cli.table_layout import print_table
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures


def print_pairs(figures: PairFigures, collection: str, form: str) -> None:
    """Print the figures of pairs in one of the forms of a report."""
    from judge.pairwise.tables import record, sentence, tables, tally_record
    from lorarar.util.tables import as_csv, as_latex, as_markdown

    of_pairs, lead = tables(figures, collection), [sentence(figures)]
    if form == "json":
        print_json({"collection": collection, "pairs": record(figures)})
    elif form == "csv":
        message(lead[0])
        rows = list(map(tally_record, figures.tallies))
        print_text(as_csv(list(rows[0]), [list(row.values()) for row in rows]), end="")
    elif form == "table":
        print_text("\n".join([*lead, ""]))
        for table in of_pairs:
            print_table(table)
    else:
        form_of = as_markdown if form == "markdown" else as_latex
        print_text(form_of(of_pairs, lead), end="")
