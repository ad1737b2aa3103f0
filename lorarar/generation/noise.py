"""The noise that a picture begins with: which number its generator is seeded from.

With one noise for all cells of a grid, the luck of that noise is larger than the differences of methods. So a picture
of a cell has noise of the cell's own, the same for every method: methods are compared on equal noise, and their means
are over many.
"""

from __future__ import annotations

from typing import Literal

from lorarar.util.digest import digest_of_facts

Noise = Literal["cell", "seed"]  # of a grid: each cell's own, or one noise for a seed wherever it is used
NoiseCell = tuple[str, str]  # names of a content and of a style, as a plan has them

DIGITS = 16  # of the digest: generators take 64 bits


def noise_seed(seed: int, cell: NoiseCell | None = None) -> int:
    """The number that a picture's generator is seeded from.

    Args:
        seed: the picture's.
        cell: whose own noise it is; None: the seed alone decides it.
    """
    if cell is None:
        return seed
    content, style = cell
    return int(digest_of_facts({"seed": seed, "content": content, "style": style})[:DIGITS], 16)


def noise_facts(cell: NoiseCell | None) -> dict[str, object]:
    """What of the noise decides a picture beside its seed: nothing where the seed alone does, as in lorarar 0.1."""
    return {} if cell is None else {"noise": list(cell)}


def parse_noise_cell(text: str) -> NoiseCell:
    """The cell of a text ``CONTENT,STYLE``.

    Raises:
        ValueError: it is none; the message says what is accepted.
    """
    content, _, style = (part.strip() for part in text.partition(","))
    if not (content and style) or "," in style:
        raise ValueError(f"--noise-of is {text[:60]!r}; accepted are the names of a cell, like dog-8,glowing")
    return content, style
