"""``lorarar study delete-rater``"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.confirmation import confirm
from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.help_pages import help_page
from lorarar.util.formatting import count
from lorarar.util.messages import message
from studies.cli.link_options import tokens_beside
from studies.cli.options import NameArgument, YesOption, open_store


@help_page("lorarar study delete-rater dogs ANNA")
@command
def delete_rater(
    name: NameArgument,
    code: Annotated[str | None, typer.Argument(help="The rater's code.", metavar="CODE")] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="All simulated raters instead.")] = False,
    yes: YesOption = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a rater with all their votes; a person's votes cannot be imported again."""
    from studies.errors import StudyError
    from studies.store import RaterStore, StudyStore

    if (code is None) != simulated:
        raise StudyError("name one rater's code, or give --simulated for all simulated ones")
    with open_store(db) as store:
        study = StudyStore(store).get(name)
        raters = RaterStore(store, study)
        codes = raters.simulated() if code is None else [raters.stored_code(code)]
        votes = sum(map(raters.count_votes, codes))
        who = f"the rater {codes[0]}" if code else count(len(codes), "simulated rater")
        again = "; they cannot be imported again" if code else ""
        message(f"What goes with {who}: {count(votes, 'vote')}{again}.")
        confirm("Delete them?", "nothing was deleted", StudyError, yes=yes)
        votes = sum(map(raters.delete, codes))
        links = _drop_links(tokens_beside(store.path, name), study.design.digest, codes)
    if as_json:
        print_json({"study": name, "raters": codes, "votes": votes})
    dropped = f"; links dropped: {links}" if links else ""
    message(f"raters deleted: {len(codes)}; votes deleted: {votes}{dropped}")


def _drop_links(path: Path, study: str, codes: Sequence[str]) -> int:
    """Take the raters' links out of the study's file of tokens, where there is one; how many there were."""
    from studies.serving.tokens import TokenFile

    if not path.exists():
        return 0
    with TokenFile(path, study).changing() as tokens:
        return sum(map(tokens.withdraw, codes))
