"""How a command was called wrongly, said in one line like every other error, where typer would draw a box."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from lorarar.cli.usage import argument_name
from lorarar.util.errors import UsageError
from lorarar.util.messages import message
from lorarar.util.suggestion import did_you_mean


@contextmanager
def usage_errors_as_lines() -> Iterator[None]:
    """Say typer's own errors in one line on stderr, and leave with their exit code.

    One without words is that of a group without a command, whose help has been printed; it is typer's to end.
    """
    try:
        yield
    except typer.TyperException as error:
        words = _what_was_wrong(error)
        if not words:
            raise
        message(f"{UsageError.title}: {words}{_right_call(error)}", "red")
        raise typer.Exit(error.exit_code) from None


def _what_was_wrong(error: typer.TyperException) -> str:
    """What typer says, in one line; of a value also what it was, what is accepted, and which of these it is near to."""
    parameter, words = getattr(error, "param", None), error.message.removeprefix("Value error, ").rstrip(".")
    if parameter is None:
        return " ".join(error.format_message().split()).rstrip(".")
    name = "/".join(parameter.opts) if parameter.param_type_name == "option" else argument_name(parameter)
    if not words:
        return f"{name} is missing"
    given, choices = words.partition(" is not one of ")[::2]
    if choices:
        accepted, near = [choice.strip(" '") for choice in choices.split(",")], given.strip("'")
        return f"{name} is {given}; accepted are {', '.join(accepted)}{did_you_mean(near, accepted)}"
    refusal: Any = error.__cause__  # pydantic's, where it is of a value
    if words.startswith("Input should be ") and refusal is not None:
        value = str(refusal.errors()[0]["input"])[:80]
        return f"{name} is {value!r}; it should be {words.removeprefix('Input should be ').partition(', ')[0]}"
    return f"{name}: {words}"


def _right_call(error: typer.TyperException) -> str:
    """How the command that the error is about is called, and where the rest is said; nothing if it is about none."""
    context = getattr(error, "ctx", None)
    if context is None:
        return ""
    usage = " ".join(context.get_usage().split()).removeprefix("Usage: ")
    return f" ({usage}; {context.help_option_names[0]} says more)"


def with_error_lines(command: Any) -> Any:
    """A program's outermost command, which says in one line what it and those below it refuse."""
    command.make_context = usage_errors_as_lines()(command.make_context)
    command.invoke = usage_errors_as_lines()(command.invoke)
    return command
