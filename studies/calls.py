"""``studies.report``: the command ``lorarar study report`` as a call from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from lorarar.store.opening import open_for_reading
from lorarar.util.messages import to_log
from lorarar.util.rows import Rows

if TYPE_CHECKING:
    from studies.figures import Figure
    from studies.reports.item_table import ItemRow
    from studies.reports.rater_table import RaterRow


@overload
def report(
    name: str,
    *,
    by: None = None,
    simulated: bool = False,
    attentive: bool = False,
    resamples: int | None = None,
    seed: int = 0,
    db: str | Path | None = None,
) -> list[Figure]: ...


@overload
def report(
    name: str,
    *,
    by: Literal["item"],
    simulated: bool = False,
    attentive: bool = False,
    resamples: int | None = None,
    seed: int = 0,
    db: str | Path | None = None,
) -> list[ItemRow]: ...


@overload
def report(
    name: str,
    *,
    by: Literal["rater"],
    simulated: bool = False,
    attentive: bool = False,
    resamples: int | None = None,
    seed: int = 0,
    db: str | Path | None = None,
) -> list[RaterRow]: ...


def report(
    name: str,
    *,
    by: Literal["item", "rater"] | None = None,
    simulated: bool = False,
    attentive: bool = False,
    resamples: int | None = None,
    seed: int = 0,
    db: str | Path | None = None,
) -> list[Figure] | list[ItemRow] | list[RaterRow]:
    """Say what came of a study, a figure a row, the first of which says it in words.

    Args:
        name: the study's.
        by: ``item`` or ``rater``: a row an item or a rater instead.
        simulated: whether to report on simulated raters instead of people.
        attentive: whether to leave out whoever failed an attention check, also where the study's rules do not.
        resamples: how many resamples the intervals are made of; by default 2000.
        seed: of the resampling.
        db: the database; by default ``$LORARAR_DB``, else ``./lorarar.db``.

    Raises:
        LorarError: there is no such study or database, or there are no votes to report on.
    """
    from studies.reports.report import make_report, make_rows
    from studies.statistics.draws import Draws

    with to_log(), open_for_reading(None if db is None else Path(db)) as store:
        if by is not None:
            return make_rows(store, name, by, simulated, attentive)
        draws = Draws(seed=seed) if resamples is None else Draws(resamples, seed)
        return Rows(make_report(store, name, simulated, attentive, draws).figures)
