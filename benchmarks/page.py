"""Figures, tables and sections as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def section(title: str, *paragraphs: str) -> str:
    """A heading with its paragraphs."""
    return "\n\n".join([f"## {title}", *paragraphs])


def seconds(value: float) -> str:
    """A time: ``12.3 s``, ``450 ms``, ``0.21 ms``."""
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def size(count: float) -> str:
    """Bytes: ``7.60 GB``, ``23.0 MB``, ``6 kB``."""
    if count < 1e5:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def ratio(one: float, other: float) -> str:
    """The ratio of two numbers as text: ``40 x``, ``1.3 x``."""
    if other <= 0:
        return "not measurable"
    value = one / other
    return f"{value:.0f} x" if value >= 10 else f"{value:.2g} x"
