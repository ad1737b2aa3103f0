"""Why questions have no clear answer, on stderr."""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.util.messages import message

MOST = 5  # reasons


def print_reasons(reasons: Mapping[str, int]) -> None:
    """The most frequent reasons with how often each was given, a line for each."""
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1])[:MOST]:
        message(f"  {count} x {reason}", "yellow")
