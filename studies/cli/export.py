"""``lorarar study export``"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_path
from lorarar.store import default_path
from lorarar.util.outputs import check_output
from studies.cli.options import NameArgument, open_to_read

if TYPE_CHECKING:
    from studies.store import Study, StudyStore


def _packet(studies: StudyStore, study: Study, out: Path) -> Path:
    from studies.rater.packet import write_packet

    return write_packet(study.design, studies.pictures(study.design.pictures), out)


def _page(studies: StudyStore, study: Study, out: Path) -> Path:
    from studies.page.offline_page import write_page

    return write_page(study.design, studies.pictures(study.design.pictures), out)


#: What is written, by the ending of its name.
FORMS: dict[str, Callable[[StudyStore, Study, Path], Path]] = {".zip": _packet, ".html": _page}


@command
def export(
    name: NameArgument,
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", help="A packet (.zip), or one page that votes offline (.html).", metavar="FILE.zip|FILE.html"
        ),
    ],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a study for raters elsewhere, by the ending of the file; nothing in it tells a method."""
    from studies.store import StudyStore

    check_output(out, *FORMS, inputs=[db or default_path()])
    with open_to_read(db) as store:
        studies = StudyStore(store)
        study = studies.get(name)
        path = FORMS[out.suffix.lower()](studies, study, out)
    if as_json:
        design = study.design
        print_json({"path": str(path), "study": name, "digest": design.digest, "pictures": len(design.pictures)})
    else:
        print_path(path)
