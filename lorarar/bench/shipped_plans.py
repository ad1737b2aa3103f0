"""The plans that come with the package."""

from __future__ import annotations

from pathlib import Path

from lorarar.util.errors import PlanError
from lorarar.util.suggestion import did_you_mean, did_you_mean_file

SHIPPED = Path(__file__).parent / "plans"


def shipped_plans() -> list[str]:
    """Their names, in alphabetical order."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def plan_file(name: str) -> Path:
    """The file of a plan: one of that name, else the shipped plan.

    Raises:
        PlanError: there is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    if name in shipped_plans():
        return SHIPPED / f"{name}.toml"
    near = did_you_mean(name, shipped_plans()) or did_you_mean_file(path)
    raise PlanError(f"no plan {name}; accepted is a TOML file or a shipped plan: {', '.join(shipped_plans())}{near}")
