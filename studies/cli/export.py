"""``lorarar study export``"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_path
from lorarar.cli.help_pages import help_page
from lorarar.store import default_path
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.outputs import check_output
from studies.cli.options import NameArgument, open_to_read
from studies.errors import StudyError

if TYPE_CHECKING:
    from studies.store import Study, StudyStore


@dataclass(frozen=True)
class ExportRequest:
    """What is to be written of a study, and where."""

    studies: StudyStore
    study: Study
    out: Path
    simulated: bool
    every: bool


def _packet(request: ExportRequest) -> dict[str, Any]:
    """A zip for raters elsewhere who have lorarar."""
    from studies.rater.packet import write_packet

    design = request.study.design
    write_packet(design, request.studies.pictures(design.pictures), request.out)
    return {"digest": design.digest, "pictures": len(design.pictures)}


def _page(request: ExportRequest) -> dict[str, Any]:
    """One page for raters elsewhere who have a browser."""
    from studies.page.offline_page import write_page

    design = request.study.design
    write_page(design, request.studies.pictures(design.pictures), request.out)
    return {"digest": design.digest, "pictures": len(design.pictures)}


def _votes(request: ExportRequest) -> dict[str, Any]:
    """The raw votes."""
    from studies.vote_table import write_votes

    store, study = request.studies.store, request.study
    votes = write_votes(store, study, request.out, simulated=request.simulated, every=request.every)
    whose = "simulated raters, not people" if request.simulated else "people"
    which = "all, superseded ones too" if request.every else "those that stand; --all writes superseded ones too"
    message(f"{count(votes, 'vote')} of {whose}: {which}")
    return {"votes": votes, "raters": "simulated" if request.simulated else "people"}


#: What is written, by the ending of the file's name.
EXPORTS: Mapping[str, Callable[[ExportRequest], dict[str, Any]]] = {".zip": _packet, ".html": _page, ".csv": _votes}


@help_page(
    "lorarar study export dogs -o dogs.zip",
    "lorarar study export dogs -o votes.csv --all",
)
@command
def export(
    name: NameArgument,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            help="By its ending: .zip, a packet; .html, one page that votes offline; .csv, the raw votes.",
            metavar="FILE",
        ),
    ],
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Of a .csv: simulated raters' votes instead of people's.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Of a .csv: superseded votes too.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a study for raters elsewhere, in which nothing tells a method, or its raw votes, which tell them."""
    from studies.store import StudyStore

    check_output(out, *EXPORTS, inputs=[db or default_path()])
    ending = out.suffix.lower()
    if ending != ".csv" and (simulated or every):
        raise StudyError(f"--simulated and --all are for votes, NAME.csv; {out.name[:80]} holds none")
    with open_to_read(db) as store:
        studies = StudyStore(store)
        about = EXPORTS[ending](ExportRequest(studies, studies.get(name), out, simulated, every))
    if as_json:
        print_json({"path": str(out), "study": name} | about)
    else:
        print_path(out)
