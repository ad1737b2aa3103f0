"""Flags that come from rows: a command has one for every option of the methods that it takes.

They are built when the command is used or its help is asked for, and only then are other packages loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from lorarar.merging.methods import METHODS, Method
from lorarar.merging.methods.method import options_of
from lorarar.util.options import Option

PANEL = "Options of methods"
Names = Callable[[], Iterable[str]]


def method_command(accepts: Callable[[Method], bool] = lambda method: True, **names: Names) -> type[TyperCommand]:
    """The class of a command whose function takes the methods' options as ``**options``.

    Args:
        accepts: which methods it takes; their names are the help of ``--method``.
        names: of other options of the command, what their help lists.
    """

    def methods() -> dict[str, Method]:
        return {name: method for name, method in METHODS.items() if accepts(method)}

    class MethodCommand(TyperCommand):
        def __init__(self, *given: Any, **settings: Any) -> None:
            super().__init__(*given, **settings)
            self._complete = False

        def get_params(self, ctx: Any) -> Any:
            if not self._complete:
                self._complete = True
                complete = _built(self.callback.open_to_options, methods())  # type: ignore[union-attr]
                self.params, self.callback = complete.params, complete.callback
                for param in self.params:
                    if param.name in (listed := {"method": methods, **names}):
                        param.help = f"{', '.join(listed[param.name]())}."  # type: ignore[attr-defined]
            return super().get_params(ctx)

    return MethodCommand


def open_to_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as typer may read it before the flags are known: without ``**options``."""
    presented = _with_parameters(function, _fixed(function))
    presented.open_to_options = function  # type: ignore[attr-defined]
    return presented


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _built(function: Callable[..., Any], methods: Mapping[str, Method]) -> Any:
    """The command of a function with a flag for every option of these methods."""
    flags = [_parameter(option, takers, methods) for option, takers in options_of(methods).values()]
    app = typer.Typer(add_completion=False)
    app.command()(_with_parameters(function, [*_fixed(function), *flags]))
    return get_command(app)


def _fixed(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters that a function always has."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]


def _with_parameters(function: Callable[..., Any], parameters: Sequence[inspect.Parameter]) -> Callable[..., Any]:
    @wraps(function)
    def presented(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    presented.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    presented.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return presented


def _parameter(option: Option, takers: Sequence[str], methods: Mapping[str, Method]) -> inspect.Parameter:
    """An option as a parameter that typer reads; None where it is not given."""
    switch = option.type == "switch"
    flag = f"{option.flag}/--no-{option.flag[2:]}" if switch else option.flag
    info = typer.Option(
        flag,
        help=option.help.rstrip(".") + _taken_by(takers, methods),
        show_default=option.shown_default,
        metavar=option.metavar or None,
        rich_help_panel=PANEL,
    )
    annotation: Any = Annotated[bool | None, info] if switch else Annotated[str | None, info]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _taken_by(takers: Sequence[str], methods: Iterable[str]) -> str:
    """Which methods take an option, in the fewest words."""
    others = [name for name in methods if name not in takers]
    if not others:
        return "."
    return f" (all but {', '.join(others)})." if len(others) < len(takers) else f" ({', '.join(takers)})."
