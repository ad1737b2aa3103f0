"""``python -m benchmarks``: run every benchmark and write docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks import drawing, merging

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def machine() -> str:
    """The machine in words."""
    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, torch {torch.__version__}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    """Run and write."""
    parts = [
        "# Benchmarks",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}; {machine()}. Ratios are within one run.",
        *(benchmark.run() for benchmark in (merging, drawing)),
    ]
    text = "\n\n".join(parts) + "\n"
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
