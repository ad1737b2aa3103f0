"""A merge on its way from the worker that made it: what is kept of it, and no tensor, which is slow to unpack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, Factors
from lorarar.merge_files import Merge
from lorarar.merging.coefficients import CoefficientSet

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MergeParcel:
    """A merge, and its file where that is wanted."""

    merge: Merge  # without inputs and coefficients; its adapter has no layers
    ranks: Mapping[str, int]  # of the adapter's layers
    coefficients: Mapping[str, tuple[NDArray[float32], NDArray[float32]]] = field(repr=False)  # (n,) each
    file: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, merge: Merge, file: bytes | None) -> MergeParcel:
        """The parcel of a merge, with the bytes of its file or without."""
        return cls(
            merge=replace(
                merge,
                adapter=replace(merge.adapter, layers={}, metadata={}),
                inputs=(),
                coefficients=CoefficientSet({}, merge.axis),
                path=None,
            ),
            ranks={layer: factors.rank for layer, factors in merge.adapter.layers.items()},
            coefficients={
                layer: (m_c.float().cpu().numpy(), m_s.float().cpu().numpy())
                for layer, (m_c, m_s) in merge.coefficients.items()
            },
            file=file,
        )

    def unpack(self, inputs: tuple[Adapter, ...], base: Base, path: Path | None) -> Merge:
        """The merge with its inputs, for the base as it is named here; of its layers only the ranks are so."""
        empty = {rank: Factors(torch.empty(rank, 0), torch.empty(0, rank)) for rank in set(self.ranks.values())}
        coefficients = {
            layer: (torch.tensor(m_c), torch.tensor(m_s)) for layer, (m_c, m_s) in self.coefficients.items()
        }
        return replace(
            self.merge,
            adapter=replace(self.merge.adapter, layers={layer: empty[rank] for layer, rank in self.ranks.items()}),
            inputs=inputs,
            coefficients=CoefficientSet(coefficients, self.merge.axis),
            base=base,
            path=path,
        )
