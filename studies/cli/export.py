"""``lorarar study export``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_path
from lorarar.store import default_path
from lorarar.util.outputs import check_output
from studies.cli.options import NameArgument, open_to_read


@command
def export(
    name: NameArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the packet goes.", metavar="PACKET.zip")],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pack a study for raters elsewhere; nothing in it tells a method."""
    from studies.rater.packet import write_packet
    from studies.store import StudyStore

    check_output(out, ".zip", inputs=[db or default_path()])
    with open_to_read(db) as store:
        studies = StudyStore(store)
        design = studies.get(name).design
        path = write_packet(design, studies.pictures(design.pictures), out)
    if as_json:
        print_json({"path": str(path), "study": name, "digest": design.digest, "pictures": len(design.pictures)})
    else:
        print_path(path)
