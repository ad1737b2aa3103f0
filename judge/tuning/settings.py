"""Settings: a merge method with its options, as a row of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lorarar.bench.plan import MethodRow
from lorarar.merging.methods import METHODS
from lorarar.util.digest import digest_of_facts

LONGEST = 60  # letters of a row's name
DIGITS = 6  # of a digest, where the words are longer


@dataclass(frozen=True)
class Setting:
    """A merge method with the options that are not as by default, in the order of its table."""

    method: str
    options: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, method: str, options: Mapping[str, Any]) -> Setting:
        """The setting of these options; one that is as by default is none of it."""
        table = METHODS[method].all_options
        kept = ((name, frozen(options[name])) for name in table if name in options)
        return cls(method, tuple((name, value) for name, value in kept if value != frozen(table[name].default)))

    @property
    def name(self) -> str:
        """The name of its row: what differs from the method's defaults, in words that a row's name may have."""
        words = "-".join([self.method, *(f"{name}-{_short(value)}" for name, value in self.options)])
        words = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in words.lower())
        if len(words) <= LONGEST:
            return words
        return f"{words[: LONGEST - DIGITS - 1].rstrip('-._')}-{digest_of_facts(self.facts)[:DIGITS]}"

    @property
    def facts(self) -> dict[str, Any]:
        """The setting as a plan has it, but for the name."""
        return {"method": self.method, **{name: _thawed(value) for name, value in self.options}}

    @property
    def row(self) -> MethodRow:
        """The row of a plan that draws it."""
        return MethodRow.model_validate({**self.facts, "name": self.name})

    @property
    def words(self) -> str:
        """The setting for people: the method and its options."""
        options = [f"{name.replace('_', '-')} {_said(value)}" for name, value in self.options]
        return ", ".join([self.method, *options])

    @property
    def flags(self) -> list[str]:
        """The setting as flags of ``lorarar merge``."""
        table = METHODS[self.method].all_options
        flags = ["--method", self.method]
        for name, value in self.options:
            flag = table[name].flag
            if table[name].type == "switch":
                flags.append(flag)
            elif table[name].type == "table":
                flags += [part for key, text in value for part in (flag, f"{key}={text}")]
            else:
                flags += [flag, _said(value)]
        return flags


def frozen(value: Any) -> Any:
    """A value that can be compared and hashed."""
    if isinstance(value, Mapping):
        return tuple(sorted(value.items()))
    return tuple(value) if isinstance(value, list | tuple) else value


def _thawed(value: Any) -> Any:
    """A frozen value as a plan has it."""
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join("=".join(one) if isinstance(one, tuple) else _said(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _short(value: Any) -> str:
    """A value in a row's name; of a table its texts alone."""
    if isinstance(value, tuple):
        parts = [one[1] if isinstance(one, tuple) else _said(one) for one in value]
        return "-".join(dict.fromkeys(parts)) if value and isinstance(value[0], tuple) else "-".join(parts)
    return _said(value).rpartition("/")[2]
