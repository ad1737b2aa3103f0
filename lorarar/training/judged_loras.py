"""The LoRAs of judged pictures, as they were when these were drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorarar.families import Base
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.fit import check_fit
from lorarar.lora.locations import digest_of
from lorarar.pictures.concepts import Concept
from lorarar.training.judged_cells import JudgedCell
from lorarar.util.errors import AdapterError, TrainingError, reason
from lorarar.util.files import is_there

if TYPE_CHECKING:
    from lorarar.store import Store
    from lorarar.store.merged_loras import KnownLora


@dataclass(frozen=True)
class JudgedLessons:
    """What is learnt from a judge: the LoRAs of judged pairs, and, in a subclass, what was judged of these."""

    contents: Sequence[Concept]
    styles: Sequence[Concept]
    record: Mapping[str, object]  # where it is from, how much there is, and by its ``digest`` which

    @property
    def facts(self) -> dict[str, object]:
        """What it decides of a training: which LoRAs, and what of the judge's."""
        loras = {"contents": self.contents, "styles": self.styles}
        return {side: [{"lora": one.adapter.sha256} for one in concepts] for side, concepts in loras.items()} | {
            "accepted": self.record["digest"]
        }


Loras = Mapping[str, Concept]  # by the digests of their files, in the order of their names


def read_judged_loras(cells: Iterable[JudgedCell], store: Store, base: Base) -> tuple[Loras, Loras]:
    """The contents and the styles of cells, each read once, without pictures and prompts.

    Raises:
        TrainingError: a LoRA is gone, or has changed since its pictures were drawn.
        AdapterError: one cannot be read, or does not fit the base.
    """
    cells = list(cells)
    contents = {(cell.picture.content, cell.merge.content) for cell in cells}
    styles = {(cell.picture.style, cell.merge.style) for cell in cells}
    return _read(contents, store, base), _read(styles, store, base)


def _read(named: Iterable[tuple[str, KnownLora]], store: Store, base: Base) -> Loras:
    return {lora.sha256: _concept(name, lora, store, base) for name, lora in sorted(named)}


def _concept(name: str, lora: KnownLora, store: Store, base: Base) -> Concept:
    file = store.paths.find(lora.path)
    if not is_there(file):
        raise TrainingError(f"LoRA {name}: {store.paths.lost(lora.path)}; its pictures are learnt from with it alone")
    try:
        digest = digest_of(file)
    except (AdapterError, OSError) as error:
        raise TrainingError(f"LoRA {name} cannot be read: {reason(error)}") from None
    if digest != lora.sha256:
        raise TrainingError(
            f"{file} has changed since the pictures of {name} were drawn; put it back, or draw and judge them anew"
        )
    adapter = read_adapter_for(base, file)
    check_fit(adapter, base)
    return Concept(name, adapter, (), "", file)
