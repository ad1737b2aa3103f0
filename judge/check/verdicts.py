"""The check's verdicts, kept apart from those that reports are made of.

Invariant: all that a check asks is written to ``check_verdicts``, which no report reads; so it cannot be taken
for a result, whatever its pictures and words are. Keys are the same as anywhere: a verdict that either table
knows is not asked, and ``judge run`` takes over from here what it would have asked itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from judge.verdicts import Case, Verdict, VerdictStore, verdict_of


class CheckStore(VerdictStore):
    """Writes to the check's table and reads both."""

    table = "check_verdicts"

    def clear_keys(self) -> set[str]:
        own = self.store.rows(f"SELECT key FROM {self.table} WHERE status = 'ok'")
        return super().clear_keys() | {row["key"] for row in own}

    def adopt(self, cases: Mapping[str, Case]) -> set[str]:
        return set()  # they are known as they are

    def share(self, judge: int, cases: Iterable[tuple[str, Case]]) -> None:
        """Nothing: the check finds verdicts by their keys."""

    def find(self, keys: Collection[str]) -> dict[str, Verdict]:
        """The verdicts under some keys: clear ones wherever they are kept, others as the check's table has them."""
        rows = [
            *self.store.rows(f"SELECT key, status, verdict, probability FROM {self.table}"),
            *self.store.rows(f"SELECT key, status, verdict, probability FROM {VerdictStore.table} WHERE status = 'ok'"),
        ]  # the ordinary ones have the last word
        chosen = set(keys)
        return {row["key"]: verdict_of(row) for row in rows if row["key"] in chosen}
