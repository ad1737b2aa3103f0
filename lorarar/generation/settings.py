"""Settings of the sampler: what was asked for, and what it comes to for a base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from lorarar.families import Base, family_of
from lorarar.generation.picture_size import PixelSize, size_text


class DrawingOptions(TypedDict, total=False):
    """What can be asked for; None is the base's own, as what is left out."""

    steps: int | None
    guidance: float | None
    negative: str  # what the picture should not show; empty: nothing is said
    size: PixelSize | None
    scheduler: str | None  # one of ``schedulers``


@dataclass(frozen=True)
class DrawingSettings:
    """How pictures of a base are generated from a prompt and noise."""

    steps: int
    guidance: float
    negative: str = ""
    size: PixelSize | None = None  # None: the base's own
    scheduler: str | None = None

    @classmethod
    def of(cls, base: Base, options: DrawingOptions) -> DrawingSettings:
        """What was asked for, with the defaults of the base's family for the rest."""
        defaults = family_of(base).defaults
        steps, guidance = options.get("steps"), options.get("guidance")
        return cls(
            steps=defaults.steps if steps is None else steps,
            guidance=defaults.guidance if guidance is None else guidance,
            negative=options.get("negative", ""),
            size=options.get("size"),
            scheduler=options.get("scheduler"),
        )

    def makings(self) -> dict[str, object]:
        """What of them decides a picture; of what could not always be chosen, only what was."""
        chosen = {
            "negative": self.negative,
            "size": self.size and size_text(self.size),
            "scheduler": self.scheduler,
        }
        return {"steps": self.steps, "guidance": self.guidance} | {
            name: value for name, value in chosen.items() if value
        }
