"""Projections of adapters into the hypernetwork's hidden layer, kept on disk.

An adapter's projection does not depend on its partner, so a grid of N contents and M styles costs N + M
of them instead of N x M. A projection of SDXL at rank 64 is about as large as the adapter itself (170 MB in
float32), so the cache serves grids; a single merge computes faster than it would write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from lorarar.lora.adapter import Adapter
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.merging.coefficients import CoefficientSet, ConceptRole
from lorarar.merging.head import ConstantRule, OthersRule, Predictor
from lorarar.merging.hypernet import Hypernetwork
from lorarar.util.errors import AdapterError
from lorarar.util.files import cache_folder

FORM = 2  # of a projection: content's has the bias in it


class ProjectionCache:
    """Projections by digest of hypernetwork and adapter; a broken or missing file is computed again."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder("projections")
        self.computed = 0  # projections that were in no file

    def predictor(self, network: Hypernetwork, digest: str) -> Predictor:
        """The network as a predictor that takes projections from here."""
        return _FromProjections(self, network, digest)

    def projection(
        self, network: Hypernetwork, digest: str, adapter: Adapter, role: ConceptRole
    ) -> Mapping[str, Tensor]:
        """An adapter's share of the hidden layer, (hidden, n) by predicted layer; ``digest`` is the network's."""
        path = self.folder / f"{FORM}-{digest[:16]}-{adapter.sha256[:32]}-{role}.safetensors"
        shapes = {
            name: (network.hidden, f.down.shape[1]) for name, f in adapter.layers.items() if network.predicts(name)
        }
        if path.exists():
            try:
                stored, _ = read_tensors(path, AdapterError)
            except AdapterError:
                stored = {}
            if {name: tuple(tensor.shape) for name, tensor in stored.items()} == shapes:
                return stored
        self.computed += 1
        projections = network.projections(adapter, role)
        if adapter.sha256:
            save_tensors(projections, path, {"hypernet": digest, "adapter": adapter.sha256, "role": role})
        return projections


@dataclass(frozen=True)
class _FromProjections:
    """A network whose projections a cache keeps; ``digest`` is the network's."""

    cache: ProjectionCache
    network: Hypernetwork
    digest: str

    def spelt(self, adapter: Adapter) -> Adapter:
        return self.network.spelt(adapter)

    def __call__(
        self,
        content: Adapter,
        style: Adapter,
        key_value: ConstantRule | None = None,
        others: OthersRule | None = None,
    ) -> CoefficientSet:
        ours = self.cache.projection(self.network, self.digest, content, "content")
        theirs = self.cache.projection(self.network, self.digest, style, "style")
        return self.network.from_projections(content, style, ours, theirs, key_value, others)
