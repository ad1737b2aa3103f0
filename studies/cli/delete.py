"""``lorarar study delete``"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.cli.confirmation import confirm
from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.help_pages import help_page
from lorarar.util.formatting import count
from lorarar.util.messages import message
from studies.cli.link_options import tokens_beside
from studies.cli.options import NameArgument, YesOption, open_store
from studies.errors import StudyError

if TYPE_CHECKING:
    from studies.store.deletion import StudyContents


@help_page("lorarar study delete dogs")
@command
def delete(name: NameArgument, yes: YesOption = False, db: DbOption = None, as_json: JsonOption = False) -> None:
    """Delete a study with its items, raters and votes; no votes on its packets can be imported any more."""
    from studies.store import StudyStore
    from studies.store.deletion import delete_study, study_contents

    with open_store(db) as store:
        study = StudyStore(store).get(name)
        message(f"What goes with the study {name}: {_words(study_contents(store, study))}.")
        message("Votes on its packets that are still out cannot be imported any more, into no other study either.")
        confirm("Delete it?", "nothing was deleted", StudyError, yes=yes)
        gone = delete_study(store, study)
        tokens = tokens_beside(store.path, name)
    if as_json:
        print_json({"study": name, **vars(gone)})
    message(f"deleted: the study {name}")
    if tokens.exists():
        message(f"The links of its raters lead nowhere now; their file is left: {tokens}")


def _words(contents: StudyContents) -> str:
    """What goes, in words."""
    return ", ".join(count(number, noun.removesuffix("s")) for noun, number in vars(contents).items())
