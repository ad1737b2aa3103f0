"""Options: what can be said of a method, a critic or whatever else has a row in a table.

An option is said once, in its row. From it come the flag of every command, the key of a plan, the check of a value,
the line in ``lorarar methods`` and the page of the docs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from lorarar.util.suggestion import did_you_mean

OptionType = Literal["number", "integer", "text", "choice", "choices", "switch", "numbers", "file", "table", "json"]
Spelling = Literal["flag", "key"]  # --key-value on a command line, key_value in a plan

_METAVARS: Mapping[OptionType, str] = {
    "number": "NUMBER",
    "integer": "INTEGER",
    "text": "TEXT",
    "choices": "LIST",
    "switch": "",
    "file": "FILE",
    "table": "NAME=TEXT",
    "json": "JSON",
}


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
    own_flag: str = ""  # the flag, where it is not the name, for example ``--lambda``
    words: str = ""  # for the value in help, for example ``C,S``; "": by the type
    read: str | Callable[[Path], Any] = ""  # what makes a file what is used, or its place ``module:function``
    among: str = ""  # the base's folder whose files can be given by their names alone, like ``networks``
    default_from: str = ""  # ``owner.attribute`` that the default comes from: another option's value, or the base
    later: bool = False  # came when results were there already: no fact of what is made where it is as by default

    @property
    def flag(self) -> str:
        """The option on a command line, for example ``--key-value``."""
        return self.own_flag or spell(self.name, "flag")

    def said_as(self, spelling: Spelling) -> str:
        """The option as a flag, or as the key of a plan."""
        return self.flag if spelling == "flag" else self.name

    @property
    def metavar(self) -> str:
        """The value in a command's help, for example ``NUMBER``."""
        if self.words:
            return self.words
        if self.type == "choice":
            return "|".join(self.choices)
        return ",".join("N" * self.length) if self.type == "numbers" else _METAVARS[self.type]

    @property
    def shown_default(self) -> str:
        """The default in words."""
        if self.default_words:
            return self.default_words
        if isinstance(self.default, tuple):
            return ",".join(value if isinstance(value, str) else f"{value:g}" for value in self.default)
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    @property
    def accepted(self) -> str:
        """The accepted values in words, as they follow "accepted "."""
        if self.type == "choice":
            return f"are {', '.join(self.choices)}"
        if self.type == "choices":
            return f"is a list of {', '.join(self.choices)}"
        if self.type == "numbers":
            return f"are {self.length} finite numbers like {self.shown_default}"
        if self.type in ("number", "integer"):
            return f"is {self._kind_of_number} {self._bounds}".rstrip()
        words = {
            "table": f"is {self.metavar}, each name once",
            "json": 'is a JSON object like {"name": "value"}',
            "text": "is a text",
            "switch": "are true and false",
            "file": "is a file",
        }
        return words[self.type]

    @property
    def _kind_of_number(self) -> str:
        kind = "an integer" if self.type == "integer" else "a number"
        return "a finite number" if self.finite and self.type == "number" and self.most is None else kind

    @property
    def _bounds(self) -> str:
        unbounded = "inf" if self.type == "number" and not self.finite else ""
        most = _plain(self.most) if self.most is not None else unbounded
        if self.above is not None:
            return f"above {_plain(self.above)}" + (f" and up to {most}" if most else "")
        if self.least is None:
            return f"up to {most}" if self.most is not None else ""
        return f"from {_plain(self.least)} to {most}" if most else f"of {_plain(self.least)} or more"

    def check(self, value: Any, spelling: Spelling = "flag") -> Any:
        """The value as the option's type has it; messages name the option in this spelling.

        Raises:
            OptionError: it is not accepted.
        """
        try:
            parsed = self._parse(value)
        except (TypeError, ValueError, OverflowError):
            parsed = None
        if parsed is None:
            hint = did_you_mean(value, self.choices) if isinstance(value, str) else ""
            raise OptionError(f"{self.said_as(spelling)} is {value!r}; accepted {self.accepted}{hint}")
        return parsed

    def _parse(self, value: Any) -> Any:
        """The parsed value; None, or an error, where it is not accepted."""
        match self.type:
            case "choice":
                parsed = value if value in self.choices else None
            case "choices":
                named = {part.strip() for part in (value.split(",") if isinstance(value, str) else value)}
                parsed = tuple(one for one in self.choices if one in named) if named <= {*self.choices} else None
                parsed = parsed or None
            case "switch":
                parsed = value if isinstance(value, bool) else None
            case "text":
                parsed = value if isinstance(value, str) else None
            case "file":
                parsed = Path(value)
            case "table":
                parsed = _table(value)
            case "json":
                parsed = _json_object(value)
            case "numbers":
                numbers = tuple(map(_number, value.split(",") if isinstance(value, str) else value))
                parsed = numbers if len(numbers) == self.length and all(map(math.isfinite, numbers)) else None
            case "number" | "integer":
                number = _whole(value) if self.type == "integer" else _number(value)
                parsed = number if self._in_bounds(number) else None
        return parsed

    def _in_bounds(self, number: float) -> bool:
        if math.isnan(number) or (self.finite and math.isinf(number)):
            return False
        low = -math.inf if self.least is None else self.least
        high = math.inf if self.most is None else self.most
        return low <= number <= high and (self.above is None or number > self.above)


def _plain(number: float) -> str:
    """A bound in words; of a whole number every digit."""
    return str(number) if isinstance(number, int) else f"{number:g}"


def _table(value: Any) -> dict[str, str] | None:
    """Texts by name: of a plan's table, or of ``NAME=TEXT`` as a command line has it, once or several times."""
    lines = [value] if isinstance(value, str) else value
    entries = [*value.items()] if isinstance(value, Mapping) else [line.partition("=")[::2] for line in lines]
    table = {name: text for name, text in entries if name and isinstance(text, str) and text}
    return table if table and len(table) == len(entries) else None


def _json_object(value: Any) -> dict[str, Any] | None:
    """The object of a JSON text, or of a mapping that JSON can hold.

    Raises:
        ValueError, TypeError: it is no JSON.
    """
    text = json.dumps(dict(value)) if isinstance(value, Mapping) else value
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    return parsed if isinstance(parsed, dict) else None


def _refuse_constant(name: str) -> None:
    """Refuse NaN and infinities, which JSON does not have."""
    raise ValueError(f"{name} is no JSON")


def _whole(value: Any) -> int:
    """A whole number, from text too.

    Raises:
        ValueError: it is none; nothing is rounded, and true is no 1.
    """
    number = int(value)
    if isinstance(value, bool) or (not isinstance(value, str) and number != value):
        raise ValueError(f"{value} is no whole number")
    return number


def _number(value: Any) -> float:
    """A number, from text too.

    Raises:
        ValueError, TypeError: it is none; true is no 1.
    """
    if isinstance(value, bool):
        raise ValueError(f"{value} is no number")
    return float(value)


def field_of(option: Option) -> Any:
    """A dataclass's field that an option sets; its default is the option's."""
    return field(default=option.default, metadata={"option": option})


def options_in(settings: type) -> tuple[Option, ...]:
    """The options that set the fields of a dataclass, each made by ``field_of``."""
    return tuple(one.metadata["option"] for one in fields(settings))


def spell(name: str, spelling: Spelling) -> str:
    """An option's name as it is said on a command line, or in a plan."""
    return "--" + name.replace("_", "-") if spelling == "flag" else name


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


def check_names(options: Iterable[Option], reserved: Collection[str], command: str) -> None:
    """Refuse options that cannot be flags of a command beside those that it has itself.

    Raises:
        OptionError: one's name is no name, or is reserved, or its default is not accepted.
    """
    for option in options:
        if not option.name.isidentifier() or option.name != option.name.lower():
            raise OptionError(f"option {option.name!r} is no name; accepted are lower-case letters, digits and _")
        if option.name in reserved:
            raise OptionError(f"option {option.flag} is {command}'s own")
        if option.default is not None:
            option.check(option.default)


def check_values(
    what: str, options: Mapping[str, Option], values: Mapping[str, Any], spelling: Spelling = "flag"
) -> dict[str, Any]:
    """The given values, checked; options that are not given are left out.

    Raises:
        OptionError: ``what`` does not take one of them, or a value is not accepted.
    """
    check_keys(what, options, values, spelling)
    return {name: options[name].check(value, spelling) for name, value in values.items()}


def check_keys(what: str, accepted: Iterable[str], given: Iterable[str], spelling: Spelling = "key") -> None:
    """Refuse a name that is not accepted.

    Raises:
        OptionError: ``what`` does not take it; the message says what it takes, and which of these may be meant.
    """
    accepted = list(accepted)
    for name in given:
        if name not in accepted:
            taken = ", ".join(spell(one, spelling) for one in accepted) or "nothing"
            hint = did_you_mean(name, accepted, lambda near: spell(near, spelling))
            raise OptionError(f"{what} takes no {spell(name, spelling)}; it takes {taken}{hint}")
