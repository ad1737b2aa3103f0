"""``lorarar methods``"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from lorarar.cli.console import JsonOption, command, print_json

if TYPE_CHECKING:
    from lorarar.merging.methods import Method
    from lorarar.util.options import Option


@command
def methods(as_json: JsonOption = False) -> None:
    """List the methods of ``lorarar merge`` and of plans, with their options, defaults and accepted values."""
    from lorarar.merging.methods import METHODS
    from lorarar.merging.methods.method import COMMON

    if as_json:
        print_json([_record(method) for method in METHODS.values()])
        return
    for method in METHODS.values():
        typer.echo(f"{method.name}: {method.title} ({method.paper})")
        _print_options(method.options)
    typer.echo("every method:")
    _print_options(list(COMMON.values()))


def _record(method: Method) -> dict[str, object]:
    """A method for machines."""
    from lorarar.merging.methods.method import described

    return {
        "name": method.name,
        "title": method.title,
        "paper": method.paper,
        "options": [described(option) for option in method.all_options.values()],
    }


def _print_options(options: Sequence[Option]) -> None:
    """A line for each option; whole lines, however wide, so that a pipe gets all of them."""
    names = [f"{option.flag} {option.metavar}".strip() for option in options]
    width = max(map(len, names), default=0)
    for name, option in zip(names, options, strict=True):
        typer.echo(f"  {name:{width}}  {option.help} Default {option.shown_default}; accepted {option.accepted}.")
