"""``lorarar study import``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, message, print_json
from studies.cli.options import open_store


@command
def take_in(
    votes: Annotated[list[Path], typer.Argument(help="Files of votes.", metavar="VOTES.jsonl…")],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in votes on packets; importing them again changes nothing."""
    from studies.importing import import_votes

    done = []
    with open_store(db) as store:
        for path in votes:
            one = import_votes(store, path)
            done.append({"file": str(path), **vars(one)})
            left_out = f", {one.withdrawn} of deleted raters left out" if one.withdrawn else ""
            message(f"{path}: {one.votes} new votes, {one.known} known{left_out}; {', '.join(one.studies)}")
    if as_json:
        print_json(done)
