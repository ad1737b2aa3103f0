"""``lorarar study close``"""

from __future__ import annotations

from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.help_pages import help_page
from lorarar.util.messages import message
from studies.cli.options import NameArgument, open_store


@help_page("lorarar study close dogs")
@command
def close(
    name: NameArgument,
    reopen: Annotated[bool, typer.Option("--reopen", help="Take votes again.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take no more votes on a study: in the app, in browsers, or on packets after this day."""
    from studies.rater.votes import today
    from studies.store import StudyStore
    from studies.store.gate import set_closed

    with open_store(db) as store:
        study = StudyStore(store).get(name)
        closed = None if reopen else study.closed or today()
        set_closed(store, study, closed)
    if as_json:
        print_json({"study": name, "closed": closed})
    if closed is None:
        message(f"the study {name} takes votes" + ("" if study.closed else "; it did before"))
    else:
        message(f"the study {name} takes no more votes since {closed}; votes on packets up to that day still come in")
