"""What a worker draws a grid at: the base, loaded, and the pair whose pictures it draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.bench.pair_pictures import PairPictures
from lorarar.families import Base
from lorarar.families.relocation import relocated
from lorarar.generation.noise import NoiseCell
from lorarar.generation.offload import Offload
from lorarar.generation.settings import DrawingOptions
from lorarar.generation.studio import Studio
from lorarar.lora.admission import Admission
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.util.dtype import Dtype
from lorarar.workers.errors import WorkersError
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class GridOrder:
    """What all of a grid's pictures have in common."""

    base: Base  # at its commit
    device: str | None
    dtype: Dtype | None
    offload: Offload
    admission: Admission
    options: DrawingOptions = field(hash=False)
    makings: Mapping[str, object] = field(hash=False)  # by which its pictures are known, as some worker has said

    def desk(self, bench: Workbench) -> Desk:
        """Where a worker draws it; the base is loaded where it is not."""
        return bench.hold(self, lambda: Desk(self, bench))


class Desk:
    """A loaded base, and the last pair."""

    def __init__(self, order: GridOrder, bench: Workbench) -> None:
        """Load the base.

        Raises:
            BaseError: it cannot be loaded.
            WorkersError: it would draw other pictures than those that the grid's cells are known by.
        """
        self._order, self._bench = order, bench
        base = relocated(order.base)
        self._studio = Studio(base, order.device, dtype=order.dtype, offload=order.offload)
        ours = self._studio.drawing.makings()
        if others := [f"{name} {ours[name]}" for name in ours if ours[name] != order.makings[name]]:
            raise WorkersError(
                f"a worker draws with another {', '.join(others)} than the first; have the same base and devices "
                "everywhere, or name --device and --dtype"
            )
        self._cache = ProjectionCache()
        self._pair: tuple[str, PairPictures] | None = None

    @property
    def out(self) -> Path:
        """The folder of results here."""
        return self._bench.folder / "out"

    def pictures(self, parcel: PairParcel, noise: NoiseCell | None) -> PairPictures:
        """The pictures of a pair, which stays merged until another comes.

        Raises:
            AdapterError: a LoRA cannot be read.
        """
        key = f"{parcel.pair.row.row_name}/{parcel.pair.stem}"
        if self._pair is None or self._pair[0] != key:
            self.close()
            order = self._order
            pair = parcel.unpack(self._bench, self._studio.base, order.admission, self.out)
            made = PairPictures(pair, self._studio, self._cache, self.out, order.admission, order.options, noise)
            self._pair = key, made
        return self._pair[1]

    def close(self) -> None:
        """Let go of the pair: no file of it is kept here."""
        if self._pair is not None:
            self._pair[1].remove_merged()
            self._pair = None
