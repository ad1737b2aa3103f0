"""Pictures of a database that were judged, with the merges that they are of: what is learnt from a judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorarar.families import Base
from lorarar.store.acceptance import CellPicture, CellVerdict, JudgeChoice, read_acceptance
from lorarar.store.filters import FilterError, PictureFilter, listed_collections
from lorarar.store.merged_loras import KnownMerge, merges_of_pairs
from lorarar.store.queries import PictureRow, collection_sizes
from lorarar.util.errors import TrainingError
from lorarar.util.formatting import count
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.store import Store


@dataclass(frozen=True)
class JudgedCell:
    """A picture of one merge, with a clear verdict."""

    picture: PictureRow
    merge: KnownMerge
    verdict: CellVerdict

    @property
    def pair(self) -> tuple[str, str]:
        """The digests of the content and of the style that were merged."""
        return self.merge.content.sha256, self.merge.style.sha256


@dataclass(frozen=True)
class JudgedCells:
    """The judged pictures of some collections, all of one base, each with a clear verdict by the same judge."""

    titles: Sequence[str]  # as they were asked for
    critic: str
    judge: Mapping[str, str]  # all that decides its verdicts
    cells: Sequence[JudgedCell]

    def record(self, pictures: int, pairs: int, digest: str) -> dict[str, object]:
        """What the header of a training's result says of what was learnt: of how many pictures and pairs, by whom."""
        return {
            "titles": list(self.titles),
            "judge": dict(self.judge),
            "pictures": pictures,
            "pairs": pairs,
            "digest": digest,
        }


def read_judged_cells(store: Store, titles: Sequence[str], choice: JudgeChoice, base: Base) -> JudgedCells:
    """The judged pictures of collections; those without a clear verdict or of no pair are left out, which is said.

    Args:
        store: the database.
        titles: of collections, or filters such as ``plan=pool,row=ties``.
        choice: whose verdicts.
        base: that is trained on, which has to have drawn them.

    Raises:
        TrainingError: there is no such collection, or its pictures are of another base, or of no LoRAs that are known.
        LorarError: no picture was judged, or there is no such judge.
    """
    with store.reading() as database:
        sizes = {one.collection: one.pictures for one in collection_sizes(database)}
        filters = [_filter(title, [one.label for one in sizes], store) for title in titles]
        try:
            chosen = [row for images in filters for row in PictureFilter.parse(images).read(database, store.path)]
        except FilterError:
            there = listed_collections(sizes) or "no pictures"
            raise TrainingError(
                f"--accepted {', '.join(titles)}: {store.path} has no such pictures, but {there}; accepted is a title, "
                "or a filter such as plan=TITLE,row=ties"
            ) from None
        merges = merges_of_pairs(database, {row.merge for row in chosen if row.merge is not None})
    rows = {row.id: row for row in chosen if row.merge in merges}
    if not rows:
        raise TrainingError(f"--accepted {', '.join(titles)}: these pictures are of no two LoRAs that are known")
    if others := sorted({row.base for row in rows.values()} - {base.name}):
        raise TrainingError(f"--accepted {', '.join(titles)} was drawn by base {others[0]}; give --base {others[0]}")
    acceptance = read_acceptance(store, filters, choice)
    cells = [
        JudgedCell(row, merges[row.merge], verdict)
        for row in rows.values()
        if row.merge is not None
        and (verdict := acceptance.verdicts.get(CellPicture(row.sha256, row.content, row.style)))
        and verdict.accepted is not None
    ]
    if len(cells) < len(rows):
        message(f"{count(len(rows) - len(cells), 'picture')} without a clear verdict left out", "yellow")
    return JudgedCells(titles, acceptance.name, acceptance.judge, cells)


def _filter(title: str, labels: Iterable[str], store: Store) -> str:
    """The filter that a title means: that of a plan, or of another collection of this name; or the filter it is."""
    kinds = {label.partition(" ")[0] for label in labels if label.partition(" ")[2] == title}
    if kinds:
        return f"{'plan' if 'plan' in kinds else min(kinds)}={title}"
    return title if "=" in title else f"plan={title}"
