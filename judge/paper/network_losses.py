"""How well merges by several networks know true pictures, beside methods without one: the truth loss, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.paper.grids import Row, grid
from judge.paper.processes import in_processes
from lorarar.bench.plan import read_plan
from lorarar.families import find_base
from lorarar.util.files import sha256_of

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan
    from lorarar.store.queries import Pair

Losses = dict[str, dict["Pair", float]]  # by row
PLAN = "half-held-out"  # the shipped plan whose cells are measured
#: What networks are set beside: the plain sum at its best weights, TIES, and the network that is shipped.
BESIDE: Mapping[str, Row] = {
    "direct": {"method": "direct", "weights": [0.8, 0.8]},
    "ties": {"method": "ties", "density": 0.5},
    "shipped": {"method": "lorarar"},
}


def losses(work: PaperWork, networks: Mapping[str, Path]) -> Losses:
    """The truth losses of the plan's pairs by each row of ``BESIDE`` and by each network; each row is measured once.

    What any item has measured is taken; the rest is measured by as many processes as the request says.

    Raises:
        PlanError, AdapterError, HypernetError, PaperError: a file cannot be read, or does not fit.
    """
    rows = {**BESIDE, **{name: {"method": "lorarar", "hypernet": str(file)} for name, file in networks.items()}}
    facts = {name: _facts(work.request, row) for name, row in rows.items()}
    by_row = {name: work.find(_kept_name(name), facts[name]) for name in rows}
    missing = [name for name, values in by_row.items() if values is None]
    measured = in_processes(
        _measure, [(work.request, rows[name]) for name in missing], work.request.processes, "truth losses, rows"
    )
    with closing(measured):
        for place, values in measured:
            name = missing[place]
            by_row[name] = work.keep(_kept_name(name), facts[name], values)
    return {name: {(content, style): value for content, style, value in by_row[name]} for name in rows}


def cells(request: PaperRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The contents and styles of the plan at the size that is asked for."""
    plan = _plan(request, BESIDE["ties"])
    return plan.contents.names or (), plan.styles.names or ()


def _plan(request: PaperRequest, row: Row) -> Plan:
    shipped = read_plan(PLAN)
    return grid(
        request,
        "truth",
        [{**row, "name": "row"}],
        contents=shipped.contents.names,
        styles=shipped.styles.names,
        prompts=[shipped.pictures.prompt],
    )


def _kept_name(row: str) -> str:
    return f"loss-{row}"


def _facts(request: PaperRequest, row: Row) -> dict[str, Any]:
    """All that decides the losses of a row."""
    base = find_base(request.base)
    network = row.get("hypernet") or (base.hypernet if row["method"] == "lorarar" else None)
    facts: dict[str, Any] = {name: value for name, value in row.items() if name != "hypernet"}
    return facts | {
        "network": network and sha256_of(Path(network)),
        "cells": cells(request),
        "base": base.revision,
    }


def _measure(request: PaperRequest, row: Row) -> list[tuple[str, str, float]]:
    """The losses of one row, by content and style."""
    from lorarar.bench.truth_loss import truth_by_pair

    by_pair = truth_by_pair(_plan(request, row), find_base(request.base), request.device)["row"]
    return [(content, style, value) for (content, style), value in by_pair.items()]
