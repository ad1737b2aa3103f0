"""The check's verdicts, kept apart from those that reports are made of.

Invariant: all that a check asks is written to ``check_verdicts``, which no report reads; so it cannot be taken
for a result, whatever its pictures and words are. Keys are the same as anywhere: a verdict that either table
knows is not asked, and ``judge run`` takes over from here what it would have asked itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from judge.check.said import Said
from judge.verdicts import Case, VerdictStore
from lorarar.store.store import Row


class CheckStore(VerdictStore):
    """Writes to the check's table and reads both."""

    table = "check_verdicts"

    def clear_keys(self) -> set[str]:
        return {row["key"] for row in self._clear("key")}

    def adopt(self, cases: Mapping[str, Case]) -> set[str]:
        return set()  # they are known as they are

    def share(self, judge: int, cases: Iterable[tuple[str, Case]]) -> None:
        """Nothing: the check finds verdicts by their keys."""

    def said(self, keys: Collection[str]) -> dict[str, Said]:
        """What was clearly said under some keys."""
        wanted, rows = set(keys), self._clear("key, verdict, probability")
        return {row["key"]: Said(bool(row["verdict"]), row["probability"]) for row in rows if row["key"] in wanted}

    def _clear(self, columns: str) -> list[Row]:
        """The check's clear verdicts and then the ordinary ones, which have the last word."""
        return [
            row
            for table in (CheckStore.table, VerdictStore.table)
            for row in self.store.rows(f"SELECT {columns} FROM {table} WHERE status = 'ok'")
        ]
