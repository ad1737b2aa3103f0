"""Values of options that are what they should be as they stand: no coercion is loaded for them.

Typer coerces every value by pydantic, which takes longer to load than most of what commands do before their work. A
text, a path or a number that was not given needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PlainValue:
    """What coerces the values of one option or argument, in typer's place, as typer would."""

    annotation: Any  # the type that the command takes
    checks: Any  # what typer was told of it: of a path, whether it has to exist, ...
    coercion: Callable[[], Any]  # typer's own, for all others; loads pydantic

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value that the command takes.

        Raises:
            BadParameter: it is none of its kind.
        """
        if param.multiple or param.nargs != 1:
            return () if value is None else self.coercion().coerce(value, param=param, ctx=ctx)
        if self._fits(value, param.default):
            return value
        if self.annotation is Path and isinstance(value, str) and self._names_a_path(value):
            return Path(value)
        return self.coercion().coerce(value, param=param, ctx=ctx)

    def _fits(self, value: Any, default: Any) -> bool:
        """Whether a value is what it should be: nothing, a text, or a default of the right type."""
        if self.checks.parser is not None:
            return False
        return value is None or (type(value) is self.annotation and (type(value) is str or value is default))

    def _names_a_path(self, value: str) -> bool:
        """Whether a text is a path of which nothing has to be known, and that may be read if it is there."""
        checks = self.checks
        demands = checks.exists, checks.resolve_path, checks.writable, checks.parser, checks.path_type
        free = not any(demands) and checks.file_okay and checks.dir_okay
        return free and (os.access(value, os.R_OK) or not os.path.lexists(value))


def spare_coercion(parameter: Any) -> None:
    """Let one of click's options or arguments load typer's coercion only for a value that needs it."""
    descriptor = getattr(parameter, "type_descriptor", None)
    if descriptor is not None and "get_runtime_param" not in vars(parameter):
        plain = PlainValue(descriptor.annotation, descriptor.parameter_info, parameter.get_runtime_param)
        parameter.get_runtime_param = lambda: plain
