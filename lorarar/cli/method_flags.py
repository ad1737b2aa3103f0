"""Flags from the rows of methods: ``--method`` with all names, and every option with the methods that take it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lorarar.cli.flags import Flag
from lorarar.util.errors import MethodError
from lorarar.util.options import Option, OptionError, check_values

if TYPE_CHECKING:
    from lorarar.merging.methods import Method

METHOD = "lorarar"  # the method of a command that names none
PANEL = "Options of methods"


def method_flags(accepts: Callable[[Method], bool] = lambda method: True) -> list[Flag]:
    """The flags that name a method and set its options, of those methods that a command accepts."""
    from lorarar.merging.methods import METHODS
    from lorarar.merging.methods.method import options_of

    methods = {name: method for name, method in METHODS.items() if accepts(method)}
    named = Option("method", f"{', '.join(methods)}.", "text", default=METHOD, words="METHOD")
    own = [
        Flag(replace(option, help=option.help.rstrip(".") + _taken_by(takers, methods)), PANEL)
        for option, takers in options_of(methods).values()
    ]
    return [Flag(named), *own]


def method_of(given: Mapping[str, Any], *others: str) -> tuple[str, dict[str, Any]]:
    """The method that flags name, and the options that are given; ``others`` are flags of the command's own."""
    options = {name: value for name, value in given.items() if name not in ("method", *others)}
    return given.get("method", METHOD), options


def check_options(method: Method, options: Mapping[str, Any]) -> None:
    """Refuse options before anything of a merge is loaded; the recipe checks them again, together with the base.

    Raises:
        MethodError: the method does not take one, or a value is not accepted.
    """
    try:
        check_values(f"method {method.name}", method.all_options, options)
    except OptionError as error:
        raise MethodError(str(error)) from None


def _taken_by(takers: Sequence[str], methods: Iterable[str]) -> str:
    """Which methods take an option, in the fewest words."""
    others = [name for name in methods if name not in takers]
    if not others:
        return "."
    return f" (all but {', '.join(others)})." if len(others) < len(takers) else f" ({', '.join(takers)})."
