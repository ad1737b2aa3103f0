"""``lorarar study import``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.help_pages import help_page
from lorarar.util.messages import message
from studies.cli.options import open_store


@help_page("lorarar study import dogs-ANNA.votes.jsonl")
@command
def import_votes(
    votes: Annotated[list[Path], typer.Argument(help="Files of votes.", metavar="VOTES.jsonl…")],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in votes on packets; importing them again changes nothing."""
    from lorarar.util.formatting import count
    from studies.importing import import_vote_file

    summaries = []
    with open_store(db) as store:
        for path in votes:
            summary = import_vote_file(store, path)
            summaries.append({"file": str(path), **vars(summary)})
            left_out = f", {summary.withdrawn} of deleted raters left out" if summary.withdrawn else ""
            left_out += "; the last line was torn and is left out" if summary.torn else ""
            new = count(summary.votes, "new vote")
            message(f"{path}: {new}, {summary.known} known{left_out}; {', '.join(summary.studies)}")
    if as_json:
        print_json(summaries)
