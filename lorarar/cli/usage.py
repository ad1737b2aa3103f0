"""How a command is called: what follows its name in help, documentation and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

EVERYWHERE = {"--help", "--quiet"}  # options of every command


def usage_pieces(parameters: Iterable[Any]) -> Iterator[str]:
    """What follows a command's name: its arguments, the options it needs, and whether it has others."""
    visible = [one for one in parameters if not getattr(one, "hidden", False)]
    for one in visible:
        if one.param_type_name == "argument":
            yield argument_name(one) if one.required else f"[{argument_name(one)}]"
    options = [one for one in visible if one.param_type_name == "option" and not EVERYWHERE & {*one.opts}]
    yield from (f"{one.opts[0]} {one.metavar or one.name.upper()}" for one in options if one.required)
    if any(not one.required for one in options):
        yield "[OPTIONS]"


def argument_name(parameter: Any) -> str:
    """An argument's name, with dots behind it where there may be several."""
    name = (parameter.metavar or parameter.name.upper()).rstrip("…")
    return f"{name}{'…' if parameter.nargs == -1 else ''}"
