"""The pictures of one pair, as whichever process draws them makes them: merged once, before the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lorarar.bench.adapters import merge_for_pair, merged_file
from lorarar.bench.cells import Pair
from lorarar.generation.attached_loras import AttachedLora
from lorarar.generation.noise import NoiseCell
from lorarar.generation.picture import Picture
from lorarar.generation.settings import DrawingOptions
from lorarar.generation.studio import Studio
from lorarar.lora.admission import Admission
from lorarar.merge_files import Merge
from lorarar.merging.projection_cache import ProjectionCache


@dataclass
class PairPictures:
    """A pair, and all that its pictures are drawn with."""

    pair: Pair
    studio: Studio
    cache: ProjectionCache
    out: Path  # of merged LoRAs
    admission: Admission
    options: DrawingOptions
    noise: NoiseCell | None

    @cached_property
    def merge(self) -> Merge:
        """The pair's adapter; when it is first asked for, the studio draws with it from then on.

        Raises:
            LorarError: it cannot be merged, or does not fit the base.
        """
        merged = merge_for_pair(self.pair, self.studio.base, self.out, self.cache, self.admission, self.studio)
        if method := self.pair.row.drawn_by:
            self.studio.load_loras([AttachedLora(one) for one in merged.inputs], method)
        else:
            self.studio.load_lora(merged.adapter)
        return merged

    @property
    def is_merged(self) -> bool:
        """Whether that has been asked for."""
        return "merge" in vars(self)

    def draw(self, prompt: str, seeds: Sequence[int]) -> Iterator[Picture]:
        """The pictures of a batch, once it is merged.

        Raises:
            DrawingError: as ``Studio.generate``.
        """
        seeds = list(seeds)
        return self.studio.generate(prompt, seeds, batch=len(seeds), noise_of=self.noise, **self.options)

    def remove_merged(self) -> None:
        """Remove the merged LoRA's file, whichever process wrote it; what was trained stays."""
        merged_file(self.pair, self.out).unlink(missing_ok=True)
