"""Flags that come from options of a table: of methods, critics, metrics or whatever has rows.

They are built when the command is used or its help is asked for, so that ``lorarar --help`` reads no table and loads
no other package. What was given on the command line is in ``given_options``; the rest has the defaults of its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand
from typer.main import get_command

from lorarar.util.messages import message
from lorarar.util.options import Option

GIVEN = "lorarar.cli.flags"  # where the context keeps the values of flags
COMMAND_CLASS = "command_class"  # of a function that is a command, its class
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Flag:
    """An option as a flag of a command."""

    option: Option
    panel: str = ""  # the heading it stands under in the command's help; empty for the command's own
    several: bool = False  # whether it may be given several times; its value is then a list


def flagged(build: Callable[[], Iterable[Flag]]) -> type[TyperCommand]:
    """The class of a command that has its function's parameters and the flags that ``build`` gives.

    Of flags with one name the first is taken, and what the command has itself comes before all; another that means
    something else is left out in one line.
    """

    class FlaggedCommand(TyperCommand):
        _flags: list[Any] | None = None  # click's options of the flags

        def get_params(self, ctx: Any) -> list[Any]:
            own = super().get_params(ctx)
            if self._flags is None:
                taken = {name for parameter in own for name in parameter.opts}
                self._flags = _parameters(_distinct(build(), taken, str(self.name)))
            return [*self._flags, *own]

        def invoke(self, ctx: Any) -> Any:
            values = {flag.name: ctx.params.pop(flag.name, None) for flag in self._flags or ()}
            ctx.meta[GIVEN] = {name: value for name, value in values.items() if value not in (None, [], ())}
            return super().invoke(ctx)

    return FlaggedCommand


def with_flags(build: Callable[[], Iterable[Flag]]) -> Callable[[F], F]:
    """Give a command that an entry point names the flags that ``build`` gives, as ``flagged`` does."""

    def mark(function: F) -> F:
        setattr(function, COMMAND_CLASS, flagged(build))
        return function

    return mark


def given_options(context: typer.Context) -> dict[str, Any]:
    """The values of flags that were given on the command line, as they were typed, by the options' names."""
    given: dict[str, Any] = context.meta.get(GIVEN, {})
    return given


def _distinct(flags: Iterable[Flag], taken: Iterable[str], command: str) -> Iterator[Flag]:
    """The first flag of each name that the command has not taken for itself."""
    options: dict[str, Option | None] = dict.fromkeys(taken)
    for flag in flags:
        option = flag.option
        if option.flag not in options:
            options[option.flag] = option
            yield flag
        elif options[option.flag] != option:
            message(f"An option {option.flag} is left out: {command} has another of this name", "yellow")


def _parameters(flags: Iterable[Flag]) -> list[Any]:
    """Click's options, which typer makes of a function that has the flags as parameters."""

    def function(**_: Any) -> None: ...

    annotations = {flag.option.name: _annotation(flag) for flag in flags}
    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in annotations.items()
    ]
    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = annotations
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return list(get_command(app).params)


def _annotation(flag: Flag) -> Any:
    """The type of a parameter, with what typer is to say of it; no value is parsed before the row checks it."""
    option = flag.option
    panel = flag.panel or None
    if option.type == "switch":
        names = f"{option.flag}/--no-{option.flag.removeprefix('--')}"
        default = str(option.default).lower() if option.default is not None else option.default_words
        return Annotated[
            bool | None, typer.Option(names, help=option.help, show_default=default or False, rich_help_panel=panel)
        ]
    default = option.shown_default if option.default is not None or option.default_words else ""
    parameter = typer.Option(
        option.flag, help=option.help, show_default=default or False, metavar=option.metavar, rich_help_panel=panel
    )
    if flag.several or option.type == "table":
        return Annotated[list[str] | None, parameter]
    return Annotated[str | None, parameter]
