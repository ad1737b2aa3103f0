"""Options: what can be said of a method, a critic or whatever else has a row in a table.

An option is said once, in its row. From it come the flag of every command, the key of a plan, the check of a value,
the line in ``lorarar methods`` and the page of the docs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

OptionType = Literal["number", "integer", "text", "choice", "switch", "numbers", "file"]


class OptionError(ValueError):
    """An option that is not taken, or a value that is not accepted; the message says what is."""


@dataclass(frozen=True)
class Option:
    """One option, with all that users are told of it."""

    name: str  # as plans and Python have it, for example ``key_value``
    help: str
    type: OptionType = "number"
    default: Any = None  # None: what ``default_words`` says
    default_words: str = ""  # for people, where the default is no plain value
    least: float | None = None  # of numbers, inclusive
    most: float | None = None
    above: float | None = None  # a bound that is itself not accepted
    finite: bool = False  # whether infinity is refused; a NaN always is
    choices: tuple[str, ...] = ()
    length: int = 0  # of ``numbers``

    @property
    def flag(self) -> str:
        """The option on a command line, for example ``--key-value``."""
        return "--" + self.name.replace("_", "-")

    @property
    def shown_default(self) -> str:
        """The default in words."""
        if self.default_words:
            return self.default_words
        if isinstance(self.default, tuple):
            return ",".join(f"{value:g}" for value in self.default)
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    @property
    def accepted(self) -> str:
        """The accepted values in words, as they follow "accepted "."""
        if self.type == "choice":
            return f"are {', '.join(self.choices)}"
        if self.type == "numbers":
            return f"are {self.length} finite numbers"
        low = f"above {self.above:g}" if self.above is not None else f"{self.least:g}" if self.least is not None else ""
        kind = "a finite number" if self.finite else "an integer" if self.type == "integer" else "a number"
        if self.type in ("number", "integer") and low:
            return f"is {kind} {low} and up" if self.most is None else f"is {kind} {low} to {self.most:g}"
        return {"text": "is a text", "switch": "are true and false", "file": "is a file"}.get(self.type, f"is {kind}")

    def check(self, value: Any) -> Any:
        """The value as the option's type has it.

        Raises:
            OptionError: it is not accepted.
        """
        try:
            parsed = self._parse(value)
        except (TypeError, ValueError):
            parsed = None
        if parsed is None:
            raise OptionError(f"{self.flag} is {value!r}; accepted {self.accepted}")
        return parsed

    def _parse(self, value: Any) -> Any:
        """The parsed value; None, or an error, where it is not accepted."""
        match self.type:
            case "choice":
                parsed = value if value in self.choices else None
            case "switch":
                parsed = value if isinstance(value, bool) else None
            case "text":
                parsed = value if isinstance(value, str) else None
            case "file":
                parsed = Path(value)
            case "numbers":
                numbers = tuple(float(part) for part in (value.split(",") if isinstance(value, str) else value))
                parsed = numbers if len(numbers) == self.length and all(map(math.isfinite, numbers)) else None
            case "number" | "integer":
                number = int(value) if self.type == "integer" else float(value)
                parsed = number if not isinstance(value, bool) and self._in_bounds(number) else None
        return parsed

    def _in_bounds(self, number: float) -> bool:
        if math.isnan(number) or (self.finite and math.isinf(number)):
            return False
        low = -math.inf if self.least is None else self.least
        high = math.inf if self.most is None else self.most
        return low <= number <= high and (self.above is None or number > self.above)


def merge_options(options: Iterable[Option]) -> dict[str, Option]:
    """Options of several rows by name, each once.

    Raises:
        OptionError: two of one name are not equal.
    """
    merged: dict[str, Option] = {}
    for option in options:
        if merged.setdefault(option.name, option) != option:
            raise OptionError(f"option {option.flag} means something else elsewhere")
    return merged


def check_values(what: str, options: Mapping[str, Option], values: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, checked; options that are not given are left out.

    Raises:
        OptionError: ``what`` does not take one of them, or a value is not accepted.
    """
    for name in values:
        if name not in options:
            flag = "--" + name.replace("_", "-")
            taken = ", ".join(option.flag for option in options.values()) or "no option"
            raise OptionError(f"{what} takes no {flag}; it takes {taken}")
    return {name: options[name].check(value) for name, value in values.items()}
