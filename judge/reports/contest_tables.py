"""The rows that methods have to beat beside them, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from judge.metrics.table import METRICS
from judge.reports.contests import Beside, Contest
from lorarar.util.formatting import interval, number
from lorarar.util.tables import Table

NOTE = (
    "A method works where its average case is ahead of every row that it has to beat, by the whole of a 95 % interval "
    "that draws subjects and styles anew. p is of each row alone."
)


def contest_tables(contests: Sequence[Contest]) -> list[Table]:
    """By how much methods exceed their rivals, by MARS2 and by nearness to true pictures; nothing without any."""
    rows = [(contest.method, one) for contest in contests for one in contest.beside]
    if not rows:
        return []
    metrics = [name for name in METRICS if any(name in one.metrics for _, one in rows)]
    head = ["method", "beside", "row", "average, beyond it", "p of that"]
    head += [f"{METRICS[name].title}, beyond it" for name in metrics]
    directions = [f"{METRICS[name].title}: {METRICS[name].direction}." for name in metrics]
    return [
        Table("Beside plain constants", head, [_row(method, one, metrics) for method, one in rows], [NOTE, *directions])
    ]


def _row(method: str, one: Beside, metrics: Sequence[str]) -> list[str]:
    figures = [interval(one.metrics.get(name), METRICS[name].places, signed=True) for name in metrics]
    p = number(one.difference.p if one.difference else None, 3)
    return [method, one.title, one.row, interval(one.difference, signed=True), p, *figures]
