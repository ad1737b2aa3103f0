"""``lorarar study simulate``"""

from __future__ import annotations

from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, print_json
from lorarar.cli.help_pages import help_page
from lorarar.store.command_line import command_line
from lorarar.util.messages import message
from studies.cli.options import NameArgument, open_store


@help_page("lorarar study simulate dogs --raters 8 --noise 0.5")
@command
def simulate(
    name: NameArgument,
    raters: Annotated[int, typer.Option("--raters", help="How many.", min=1)],
    noise: Annotated[float, typer.Option("--noise", help="Of what they see: 0 follows MARS2 to the letter.", min=0)],
    seed: SeedOption = 0,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write votes of simulated raters, marked as such everywhere and never counted as people."""
    from studies.simulate import simulate as write

    with open_store(db) as store:
        codes = write(store, name, raters, noise, seed)
    if as_json:
        print_json({"study": name, "raters": list(codes)})
    report = command_line(f"lorarar study report {name} --simulated")
    message(f"{len(codes)} simulated raters, {codes[0]} to {codes[-1]}; see: {report}")
