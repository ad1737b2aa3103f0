"""Which pictures a study could show: the database's cells of the methods asked for, with what MARS2 said of them.

A picture counts as accepted when the critic finds its subject and its style right (``judge.protocol``), asked with
all references; one that was not fully judged is not accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from judge.verdicts import Judge, VerdictStore
from lorarar.pictures.images import find_images
from lorarar.store import Store
from lorarar.store.paths import PathResolver
from lorarar.store.queries import cell_pictures
from lorarar.util.errors import ImageError
from lorarar.util.files import sha256_of
from studies.errors import StudyError

Pair = tuple[str, str]  # subject and style


@dataclass(frozen=True)
class Candidate:
    """A picture of the database."""

    method: str  # the row of the grid's plan
    subject: str
    style: str
    seed: int
    path: Path
    sha256: str

    @property
    def pair(self) -> Pair:
        """Its subject and style."""
        return self.subject, self.style


@dataclass(frozen=True)
class References:
    """The reference pictures of a subject-style pair, in order."""

    subject: tuple[Path, ...]
    style: tuple[Path, ...]

    def digests(self) -> dict[str, list[str]]:
        """Of both, by which verdicts name them."""
        return {aspect: [sha256_of(path) for path in paths] for aspect, paths in vars(self).items()}


def candidates(
    store: Store, methods: Sequence[str], plan: str | None = None
) -> tuple[list[Candidate], dict[Pair, References]]:
    """The pictures of these methods, in order, and the references of their pairs.

    Raises:
        StudyError: a method has none, or the methods are rows of several plans and none is named.
    """
    rows = sorted(cell_pictures(store.connection), key=lambda row: row.plan or "")
    known = sorted({row.row for row in rows if plan in (None, row.plan)})
    if missing := [method for method in methods if method not in known]:
        there = ", ".join(known) if known else "none; make some with: lorarar bench run quick"
        raise StudyError(f"{store.path} has no pictures of {', '.join(missing)}; it has: {there}")
    rows = [row for row in rows if row.row in methods and plan in (None, row.plan)]
    if len(plans := sorted({row.plan or "" for row in rows})) > 1:
        raise StudyError(f"these methods are rows of several plans; choose one with --plan: {', '.join(plans)}")
    paths = PathResolver(store.path)
    found = [Candidate(row.row, row.content, row.style, row.seed, paths.find(row.path), row.sha256) for row in rows]
    loras = {lora for row in rows for lora in (row.content_lora, row.style_lora) if lora is not None}
    pictures = {lora: _references(paths.find(lora)) for lora in loras}
    return found, {
        (row.content, row.style): References(pictures[row.content_lora or ""], pictures[row.style_lora or ""])
        for row in rows
    }


def find_judge(store: Store, critic: str | None = None) -> Judge:
    """The judge whose verdicts count: the latest, or the latest of that critic.

    Raises:
        StudyError: there is none.
    """
    judges = VerdictStore(store).judges()
    found = [judge for judge in judges if critic in (None, judge.critic)]
    if not found:
        there = ", ".join(sorted({judge.critic for judge in judges})) or "none"
        asked = f" of {critic}" if critic else ""
        raise StudyError(
            f"{store.path} has no MARS2 verdicts{asked} (it has: {there}); make some with: lorarar judge run"
        )
    return found[0]


def _references(lora: Path) -> tuple[Path, ...]:
    """The pictures a LoRA was trained on, which lie in the folder of its name beside it."""
    folder = lora.with_suffix("")
    try:
        return tuple(find_images(folder))
    except ImageError:
        raise StudyError(f"{folder} holds no reference pictures; raters are shown the first one") from None
