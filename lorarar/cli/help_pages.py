"""Help pages: an example under each command, commands and options under headings, ``--quiet``, no type behind a switch.

A command says its examples and its heading where it stands (``help_page``); a group of commands makes pages of them
when it is built (``with_page``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand
from typer.main import get_command

from lorarar.cli.plain_values import spare_coercion
from lorarar.cli.usage import usage_pieces
from lorarar.cli.usage_errors import with_error_lines
from lorarar.util.messages import quieted

F = TypeVar("F", bound=Callable[..., Any])

SETTINGS = {"help_option_names": ["-h", "--help"]}  # of every outermost command; those below it inherit them

#: Headings of commands in ``lorarar --help``.
MERGING, DRAWING, JUDGING, LOOKING = "Merge", "Train and generate", "Judge and ask people", "Look and keep"
PANELS = (MERGING, DRAWING, JUDGING, LOOKING, "")  # in this order
#: Headings of options in a command's help.
OUTPUT, BASE, COMPUTING, PICTURES = "Output", "Base model", "Computing", "Pictures that are meant"

#: Of options that mean the same in every command, by their names; one of few options needs no headings.
HEADINGS = {
    **dict.fromkeys(("--out", "--db", "--json", "--format", "--gallery", "--chart"), OUTPUT),
    **dict.fromkeys(("--base", "--vae", "--prediction"), BASE),
    **dict.fromkeys(("--device", "--dtype", "--precision", "--offload", "--processes", "--shard"), COMPUTING),
    **dict.fromkeys(("--images", "--generated", "--references"), PICTURES),
}
MANY = 12  # options, from which on they stand under headings

_EXAMPLES, _PANEL = "lorarar_examples", "lorarar_panel"  # a function's attributes


def help_page(*examples: str, panel: str = "") -> Callable[[F], F]:
    """Say what a command's help page has beside its words.

    Args:
        examples: whole command lines, each of which the command accepts as it stands.
        panel: the heading that the command stands under in the help of its group.
    """

    def mark(function: F) -> F:
        setattr(function, _EXAMPLES, examples)
        setattr(function, _PANEL, panel)
        return function

    return mark


def examples_of(command: Any) -> tuple[str, ...]:
    """The examples of one of click's commands; none of a group."""
    examples: tuple[str, ...] = getattr(command.callback, _EXAMPLES, ())
    return examples


def with_page(command: Any) -> Any:
    """One of click's commands with its usage, its heading, its examples at the end of its help, and ``--quiet``."""
    examples = examples_of(command)
    if examples:
        lines = "\n\n".join(f"  {example}" for example in examples)
        command.epilog = f"Example{'s' * (len(examples) > 1)}:\n\n{lines}"
    command.help = (command.help or "").replace("``", "")
    command.rich_help_panel = getattr(command.callback, _PANEL, "") or None
    command.collect_usage_pieces = lambda context: [*usage_pieces(command.get_params(context))]
    return readable(command, [_quiet()])


def readable(command: Any, more: Sequence[Any] = ()) -> Any:
    """One of click's commands or groups, whose switches are said without a type: ``--all``, not ``--all <bool>``.

    Args:
        command: the command.
        more: options that it has beside its own.
    """
    own = command.get_params

    def get_params(context: Any) -> list[Any]:
        parameters = own(context)
        taken = {name for parameter in parameters for name in parameter.opts}
        beside = [option for option in more if not taken & {*option.opts}]
        parameters = [*parameters[:-1], *beside, *parameters[-1:]]  # the last is --help
        for parameter in parameters:
            spare_coercion(parameter)
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
            if len(parameters) >= MANY and not getattr(parameter, "rich_help_panel", None):
                parameter.rich_help_panel = next((HEADINGS[name] for name in parameter.opts if name in HEADINGS), None)
        return parameters

    command.get_params = get_params
    return command


class PageCommand(TyperCommand):
    """The one command of a program, with its page."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        with_error_lines(with_page(self))


def _be_quiet(context: typer.Context, quiet: bool) -> None:
    """Say nothing but results, warnings and errors as long as the command runs."""
    if quiet:
        context.with_resource(quieted())


QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Say nothing but results, warnings and errors.",
        callback=_be_quiet,
        expose_value=False,
        is_eager=True,
    ),
]


@cache
def _quiet() -> Any:
    """``--quiet`` as click has it."""

    def function(quiet: QuietOption = False) -> None: ...

    function.__annotations__ = {"quiet": QuietOption, "return": None}  # not as texts: this function is no module's
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return get_command(app).params[0]
