"""Rivals: which rows of a table are the plain ones that a method has to beat, by what made them and by no name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lorarar.families import FAMILIES
from lorarar.merging.methods.method import COMMON, Method, Rival
from lorarar.merging.methods.table import METHODS

UNLIKE = ("seed",)  # an option that rows may differ in
FEWEST = 2  # rows, where any of a rival's may be the best


@dataclass(frozen=True)
class RowMakings:
    """How the merges of a row were made."""

    method: str
    options: Mapping[str, Any]  # as merges are known by them
    base: str  # its name

    @property
    def rivals(self) -> tuple[Rival, ...]:
        """What the row has to beat; nothing of a row that is a rival of its own method."""
        method = METHODS.get(self.method)
        if method is None or any(one.method == self.method and self._says(one.options) for one in method.rivals):
            return ()
        return method.rivals

    def wanted(self, rival: Rival) -> dict[str, Any]:
        """What a rival's row has to say; None under a name of which the base's family knows nothing."""
        family = FAMILIES.get(self.base)
        return {**rival.options, **{name: getattr(family, field, None) for name, field in rival.from_family.items()}}

    def is_beaten_by_all(self, rival: Rival) -> bool:
        """Whether which row of a rival is the best is not known, so that the method has to beat them all."""
        return None in self.wanted(rival).values()

    def has_rival(self, rival: Rival, other: RowMakings) -> bool:
        """Whether another row is this rival of it: what is not the rival's own is as in this row."""
        wanted = self.wanted(rival)
        if (other.method, other.base) != (rival.method, self.base):
            return False
        if not other._says({name: value for name, value in wanted.items() if value is not None}):
            return False
        alike = (*COMMON, *(option for option in _options(rival) if option in _options(self)))
        return all(
            self.options.get(name) == other.options.get(name) for name in alike if name not in (*wanted, *UNLIKE)
        )

    def _says(self, options: Mapping[str, Any]) -> bool:
        """Whether the row has these options."""
        return all(_plain(self.options.get(name)) == _plain(value) for name, value in options.items())


def rows_of(rival: Rival, row: RowMakings, rows: Mapping[str, RowMakings]) -> list[str]:
    """The names of the rows that are a rival of a row."""
    return [name for name, other in rows.items() if row.has_rival(rival, other)]


def how_to_add(rival: Rival, row: RowMakings) -> str:
    """What a plan says to have a rival of a row in its table."""
    keys = {name: _toml(value) for name, value in row.wanted(rival).items() if value is not None}
    line = ", ".join([f'method = "{rival.method}"', *(f"{name} = {value}" for name, value in keys.items())])
    if unknown := [name for name, value in row.wanted(rival).items() if value is None]:
        return f"what is best for base {row.base} is not known; add rows of several {unknown[0]} to the plan: {line}"
    return f"add a row to the plan: {line}"


def _options(of: Rival | RowMakings) -> Iterator[str]:
    """The names of the options of a method and of all of its kind."""
    method = METHODS.get(of.method)
    yield from method.all_options if isinstance(method, Method) else ()


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    """A value as a plan says it."""
    return str(value).lower() if isinstance(value, bool) else str(_plain(value))
