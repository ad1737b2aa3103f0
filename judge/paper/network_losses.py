"""How well merges by several networks know true pictures, beside methods without one: the truth loss, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.paper.grids import Row, grid
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
SECONDS = 60.0  # that a row takes on two cores


def losses(work: PaperWork, networks: Mapping[str, Path]) -> Losses:
    """The truth losses of the plan's pairs by each row of ``BESIDE`` and by each network; each row is measured once.

    Raises:
        PlanError, AdapterError, HypernetError: a file cannot be read, or does not fit.
    """
    rows = {**BESIDE, **{name: {"method": "lorarar", "hypernet": str(file)} for name, file in networks.items()}}
    return {name: _losses_of(work, name, row) for name, row in rows.items()}


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


def _losses_of(work: PaperWork, name: str, row: Row) -> dict[Pair, float]:
    """The losses of one row, measured now where they are not kept."""
    from lorarar.bench.truth_loss import truth_by_pair

    plan = _plan(work.request, row)
    base = find_base(work.request.base)
    network = row.get("hypernet") or (base.hypernet if row["method"] == "lorarar" else None)
    facts: dict[str, Any] = {name: value for name, value in row.items() if name != "hypernet"}
    facts |= {"network": network and sha256_of(Path(network)), "cells": cells(work.request), "base": base.revision}

    def measure() -> list[tuple[str, str, float]]:
        by_pair = truth_by_pair(plan, base, work.request.device)["row"]
        return [(content, style, value) for (content, style), value in by_pair.items()]

    return {(content, style): value for content, style, value in work.kept(f"loss-{name}", facts, measure)}
