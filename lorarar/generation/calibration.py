"""Calibration: what reaches a LoRA's layers in the first step of a picture that is drawn with it and its own prompt.

The picture is of the base's own size, begins with the noise of a seed, and is drawn without guidance, so that every
token is the prompt's. The denoiser runs once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lorarar.families import Base, family_of
from lorarar.generation.base_digest import pinned
from lorarar.generation.calibration_cache import CalibrationCache
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.input_moments import InputMoments
from lorarar.generation.layer_inputs import observe
from lorarar.generation.placement import Placement
from lorarar.generation.settings import DrawingSettings
from lorarar.generation.studio import Studio
from lorarar.lora.adapter import Adapter
from lorarar.util.progress import Ticker

if TYPE_CHECKING:
    from lorarar.util.dtype import Dtype

GUIDANCE = 1.0  # none
PATIENCE = 1.0  # seconds; what takes longer shows its progress


class Calibrator:
    """Calibrates LoRAs on one base, which is loaded with the first whose moments are not kept."""

    def __init__(self, base: Base, place: Placement, studio: Studio | None = None, folder: Path | None = None) -> None:
        """Calibrate on a base.

        Args:
            base: which one.
            place: where it runs, in which numbers.
            studio: the base as it is loaded there already; no LoRA is on it afterwards.
            folder: where moments are kept, by default the cache's.
        """
        self.base, self.place = pinned(base), place
        self.cache = CalibrationCache(folder)
        self._given = studio

    @classmethod
    def on(cls, studio: Studio, folder: Path | None = None) -> Calibrator:
        """One that uses a base that is loaded."""
        return cls(studio.base, studio.place, studio, folder)

    def makings(self, prompts: Sequence[str], seed: int) -> dict[str, object]:
        """All that decides the moments of LoRAs beside the LoRAs.

        Args:
            prompts: of each LoRA its own.
            seed: of the noise.

        Raises:
            BaseError: the base's files cannot be read.
        """
        return calibration_makings(self.base, self._drawing, prompts, seed)

    def calibrate(self, adapters: Sequence[Adapter], prompts: Sequence[str], seed: int) -> list[InputMoments]:
        """The moments of several LoRAs, each alone with its own prompt; raises as ``moments``."""
        with Ticker("calibrate", len(adapters), patience=PATIENCE) as ticker:
            calibrated = []
            for adapter, prompt in zip(adapters, prompts, strict=True):
                calibrated.append(self.moments(adapter, prompt, seed))
                ticker.advance()
            return calibrated

    def moments(self, adapter: Adapter, prompt: str, seed: int) -> InputMoments:
        """The moments of a LoRA's layers, by name: those that are kept, else those of one forward pass.

        Raises:
            AdapterError: the LoRA does not fit the base, or the moments cannot be kept.
            BaseError, DrawingError: the base cannot be loaded, or has not enough memory.
            MethodError: a layer cannot be calibrated.
        """
        facts = {"lora": adapter.identity, **self.makings([prompt], seed)}
        kept = self.cache.read(facts)
        if kept is not None and kept.keys() <= adapter.layers.keys():
            return kept
        studio = self._studio
        studio.load_lora(adapter)
        try:
            moments = observe(
                studio.pipeline,
                family_of(self.base).modules,
                adapter,
                lambda: list(studio.generate(prompt, [seed], batch=1, guidance=GUIDANCE)),
            )
        finally:
            studio.load_lora(None)
        self.cache.write(facts, moments)
        return moments

    @cached_property
    def _drawing(self) -> DrawingFacts:
        return self._given.drawing if self._given else DrawingFacts.of(self.base, self.place)

    @cached_property
    def _studio(self) -> Studio:
        if self._given:
            return self._given
        dtype = cast("Dtype", self._drawing.dtype)
        return Studio(self.base, self.place.device, dtype=dtype, offload=self.place.offload)


def calibration_makings(base: Base, drawing: DrawingFacts, prompts: Sequence[str], seed: int) -> dict[str, object]:
    """All that decides the moments of LoRAs beside the LoRAs, on whatever machine they are found out.

    Args:
        base: at its commit.
        drawing: what decides its pictures there.
        prompts: of each LoRA its own.
        seed: of the noise.
    """
    steps = DrawingSettings.of(base, {}).steps
    settings = {"seed": seed, "step": 1, "steps": steps, "guidance": GUIDANCE}
    return {"prompts": [*prompts], **settings, **drawing.makings()}
