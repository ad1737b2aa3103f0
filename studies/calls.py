"""``studies.report``: the command ``lorarar study report`` as a call from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.store.opening import open_for_reading
from lorarar.util.messages import to_log

if TYPE_CHECKING:
    from studies.figures import Figure


def report(
    name: str, *, simulated: bool = False, attentive: bool = False, db: str | Path | None = None
) -> list[Figure]:
    """Say what came of a study, a figure a row: outcomes, agreement, people against metrics, each with its interval.

    Args:
        name: the study's.
        simulated: whether to report on simulated raters instead of people.
        attentive: whether to leave out the raters who failed an attention check.
        db: the database; by default ``$LORARAR_DB``, else ``./lorarar.db``.

    Raises:
        LorarError: there is no such study or database, or there are no votes to report on.
    """
    from studies.reports.report import make_report

    with to_log(), open_for_reading(None if db is None else Path(db)) as store:
        return list(make_report(store, name, simulated, attentive).figures)
