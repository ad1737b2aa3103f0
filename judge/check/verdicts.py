"""The check's verdicts, kept apart from those that reports are made of.

Invariant: all that a check asks is written to ``check_verdicts``, which no report reads; so it cannot be taken
for a result, whatever its pictures and words are. Keys are the same as anywhere: a verdict that either table
knows is not asked, and ``judge run`` takes over from here what it would have asked itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from judge.verdicts import Verdict, VerdictKey, VerdictStore, verdict_of


class CheckStore(VerdictStore):
    """Writes to the check's table and reads both."""

    table = "check_verdicts"

    def clear_digests(self) -> set[str]:
        own = self.store.rows(f"SELECT key FROM {self.table} WHERE status = 'ok'")
        return super().clear_digests() | {row["key"] for row in own}

    def promote(self, keys: Mapping[str, VerdictKey]) -> set[str]:
        return set()  # the check's verdicts stay its own

    def copy_to_equal(self, judge: int, keys: Iterable[tuple[str, VerdictKey]]) -> None:
        """Nothing: the check finds verdicts by their digests."""

    def find(self, digests: Collection[str]) -> dict[str, Verdict]:
        """The verdicts under some digests: clear ones of either table, others as the check's has them."""
        rows = [
            *self.store.rows(f"SELECT key, status, verdict, probability FROM {self.table}"),
            *self.store.rows(f"SELECT key, status, verdict, probability FROM {VerdictStore.table} WHERE status = 'ok'"),
        ]  # the ordinary ones have the last word
        chosen = set(digests)
        return {row["key"]: verdict_of(row) for row in rows if row["key"] in chosen}
