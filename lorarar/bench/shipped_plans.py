"""The plans that come with the package."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent / "plans"


def shipped_plans() -> list[str]:
    """Their names, in alphabetical order."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))
