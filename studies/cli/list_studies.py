"""``lorarar study list``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import help_page
from lorarar.store.command_line import command_line
from lorarar.util.messages import message
from studies.cli.options import open_to_read

if TYPE_CHECKING:
    from studies.store import Study


@help_page("lorarar study list")
@command
def list_studies(db: DbOption = None, as_json: JsonOption = False) -> None:
    """Say which studies there are, and how far their raters are."""
    from studies.store import StudyStore
    from studies.store.preregistration import preregistration_of

    with open_to_read(db) as store:
        studies = StudyStore(store)
        rows = [
            facts(study)
            | {"preregistered": registered.digest if registered else None}
            | {"raters": [vars(rater) for rater in studies.raters(study)]}
            for study in map(studies.get, studies.names())
            for registered in [preregistration_of(store, study)]
        ]
    if as_json:
        print_json(rows)
        return
    if not rows:
        message(f"No studies yet; make one with: {command_line('lorarar study new')}")
    for row in rows:
        people = [rater for rater in row["raters"] if not rater["simulated"]]
        simulated = len(row["raters"]) - len(people)
        done = sum(rater["votes"] == row["trials"] for rater in people)
        methods = ", ".join(row["methods"]) + (f" of {row['collection']}" if row["collection"] else "")
        marked = f", simulated raters: {simulated}" if simulated else ""
        closed = f"; closed on {row['closed']}" if row["closed"] else ""
        print_text(
            f"{row['name']}: {row['kind']}, {row['scenario']}, {methods}; {row['items']} items; "
            f"people: {len(people)}, finished: {done}{marked}{closed}"
        )


def facts(study: Study) -> dict[str, Any]:
    """A study in a few values, as JSON has it."""
    design = study.design
    return {
        "name": study.name,
        "digest": design.digest,
        "kind": study.kind,
        "scenario": study.scenario,
        "methods": list(study.methods),
        "collection": study.collection.label if study.collection else None,
        "seed": study.seed,
        "items": study.item_count,
        "attention": len(study.checks),
        "repeats": design.repeats,
        "trials": len(design.items) + design.repeats,
        "created": study.created,
        "closed": study.closed,
        "rules": study.rules.record(),
        "drawing": study.drawing.record(),
    }
