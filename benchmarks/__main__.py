"""``python -m benchmarks``: run every benchmark and write docs/benchmarks.md.

``python -m benchmarks NAME…`` runs some and prints them; ``--quick`` runs toy sizes, to see that all works.
Neither writes the page. ``python -m benchmarks rehearsal`` is a program of its own, see ``benchmarks/rehearsal``;
its section of the page stays.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks import (
    app,
    calibration,
    command,
    coverage,
    dits,
    drawing,
    intervals,
    judging,
    known,
    memory,
    merging,
    methods,
    pair_methods,
    pruning,
    served,
    store,
    training,
    voting,
    workers,
)

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
REHEARSED = "## At true size"  # the section of the page that is the rehearsal's, and stays as it is

BENCHMARKS: dict[str, Callable[[bool], str]] = {
    "merging": merging.run,
    "pair-methods": pair_methods.run,
    "pruning": pruning.run,
    "methods": methods.run,
    "calibration": calibration.run,
    "command": command.run,
    "app": app.run,
    "training": training.run,
    "memory": memory.run,
    "drawing": drawing.run,
    "judging": judging.run,
    "known": known.run,
    "served": served.run,
    "intervals": intervals.run,
    "voting": voting.run,
}
#: Those that run where they are named alone: they take long, a GPU or much disk, and other pages have their results.
NAMED: dict[str, Callable[[bool], str]] = {
    "coverage": coverage.run,
    "dits": dits.run,
    "store": store.run,
    "workers": workers.run,
}


def machine() -> str:
    """The machine in words."""
    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    cuda = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    processor = names[0] if names else platform.processor()
    return (
        f"{processor}, {os.cpu_count()} cores{cuda}, torch {torch.__version__} on {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}"
    )


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    """Run what the arguments say: the rehearsal, or benchmarks."""
    if sys.argv[1:2] == ["rehearsal"]:
        from benchmarks.rehearsal import command as rehearsal

        rehearsal.main(sys.argv[2:])
    else:
        measure()


def measure() -> None:
    """Run and write."""
    known_names = {**BENCHMARKS, **NAMED}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios within one run.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"some of {', '.join(known_names)}; by default all but {', '.join(NAMED)}",
    )
    parser.add_argument("--quick", action="store_true", help="toy sizes, to see that all works")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in known_names]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; accepted are {', '.join(known_names)}")
    parts = [
        "# Benchmarks",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}; {machine()}. Ratios are within one run.",
    ]
    print("\n\n".join(parts), flush=True)
    for name in asked.names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        parts.append(known_names[name](asked.quick))
        print(f"\n{parts[-1]}", flush=True)  # at once, since the next may take minutes
    text = "\n\n".join(parts) + "\n"
    if not asked.names and not asked.quick:
        _, heading, rest = PAGE.read_text(encoding="utf-8").partition(REHEARSED)
        PAGE.write_text(f"{text}\n{heading}{rest}" if heading else text, encoding="utf-8")


if __name__ == "__main__":
    main()
