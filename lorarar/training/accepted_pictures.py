"""The pictures that a judge accepts of some pairs, which a hypernetwork learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.families import Base
from lorarar.store.acceptance import JudgeChoice
from lorarar.store.kept_digests import recall_digests
from lorarar.training.judged_cells import JudgedCell, JudgedCells, read_judged_cells
from lorarar.training.judged_loras import JudgedLessons, read_judged_loras
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import TrainingError
from lorarar.util.files import sha256_or
from lorarar.util.formatting import count
from lorarar.util.grouping import group_by
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.store import Store


@dataclass(frozen=True)
class AcceptedPicture:
    """A picture that a perfect merge of its pair might have drawn, for all that the judge says."""

    file: Path
    sha256: str
    prompt: str  # that it was drawn from


@dataclass(frozen=True)
class AcceptedPictures(JudgedLessons):
    """Accepted pictures by pair, and the LoRAs of these pairs."""

    pictures: Mapping[tuple[int, int], Sequence[AcceptedPicture]]  # by the places of content and style; none is empty


def read_accepted(store: Store, titles: Sequence[str], choice: JudgeChoice, base: Base) -> AcceptedPictures:
    """The accepted pictures of collections that are still there as they were judged; it is said what is left out.

    Args:
        store: the database.
        titles: of its collections, or filters.
        choice: who accepts.
        base: that is trained on.

    Raises:
        TrainingError: no picture is accepted and there, or a LoRA is gone or has changed; or as ``read_judged_cells``.
        AdapterError: a LoRA cannot be read, or does not fit the base.
    """
    judged = read_judged_cells(store, titles, choice, base)
    files = {cell.picture.id: store.paths.find(cell.picture.path) for cell in judged.cells if cell.verdict.accepted}
    accepted = [cell for cell in judged.cells if cell.picture.id in files]
    recall_digests(store, files.values())
    there = [cell for cell in accepted if sha256_or(files[cell.picture.id], "") == cell.picture.sha256]
    if len(there) < len(accepted):
        message(f"{count(len(accepted) - len(there), 'accepted picture')} gone or changed, and left out", "yellow")
    if not there:
        raise TrainingError(
            f"{judged.critic} accepts none of {count(len(judged.cells), 'picture')} of {', '.join(titles)} that is "
            "still there; draw more of them, by merges that are accepted more often"
        )
    contents, styles = read_judged_loras(there, store, base)
    places = {
        side: {digest: place for place, digest in enumerate(loras)} for side, loras in enumerate((contents, styles))
    }
    pictures = {
        (places[0][content], places[1][style]): _distinct(cells, files)
        for (content, style), cells in sorted(group_by(there, lambda cell: cell.pair).items())
    }
    _tell(judged, pictures)
    record = judged.record(sum(map(len, pictures.values())), len(pictures), _digest(there))
    return AcceptedPictures([*contents.values()], [*styles.values()], record, pictures)


def _distinct(cells: Sequence[JudgedCell], files: Mapping[int, Path]) -> list[AcceptedPicture]:
    """The pictures of a pair in an order of their own, each once in however many places it is shown."""
    rows = {(cell.picture.sha256, cell.picture.prompt): files[cell.picture.id] for cell in cells}
    return [AcceptedPicture(file, sha256, prompt) for (sha256, prompt), file in sorted(rows.items())]


def _digest(cells: Sequence[JudgedCell]) -> str:
    """Which pictures of which pairs, under which prompts."""
    facts = {(*cell.pair, cell.picture.sha256, cell.picture.prompt) for cell in cells}
    return digest_of_facts({"accepted": sorted(facts)})


def _tell(judged: JudgedCells, pictures: Mapping[tuple[int, int], Sequence[AcceptedPicture]]) -> None:
    pairs = len({cell.pair for cell in judged.cells})
    without = f"; {count(pairs - len(pictures), 'pair')} without any left out" if pairs > len(pictures) else ""
    accepted, of_pairs = sum(map(len, pictures.values())), count(len(pictures), "pair")
    message(f"{judged.critic} accepts {accepted} of {count(len(judged.cells), 'picture')}, of {of_pairs}{without}")
