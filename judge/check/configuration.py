"""How a critic is run for the check, and in which other ways it could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

from judge.critics import Critic, find_critic
from judge.critics.registry import is_address
from judge.critics.settings import DType, ImageMode, LocalSettings, Quantisation, ServedSettings

SIDES = (384, 512, 1024)  # pixels of the long side, as the paper's pictures might be shown


@dataclass(frozen=True)
class Configuration:
    """A critic with its settings, as ``find_critic`` takes them."""

    critic: str
    image_mode: ImageMode | None = None
    device: str | None = None
    dtype: DType | None = None
    batch: int = LocalSettings.batch
    concurrency: int = ServedSettings.concurrency
    quantisation: Quantisation | None = None
    side: int = LocalSettings.side
    model: str | None = None

    def open(self) -> Critic:
        """The critic; its weights are not loaded yet.

        Raises:
            CriticError: it cannot be found, or a setting is not accepted.
        """
        return find_critic(
            self.critic,
            image_mode=self.image_mode,
            device=self.device,
            dtype=self.dtype,
            batch=self.batch,
            concurrency=self.concurrency,
            quantisation=self.quantisation,
            side=self.side,
            model=self.model,
        )


def variants(
    reference: Configuration, identity: Mapping[str, str], longest: int, against: str | None = None
) -> dict[str, Configuration]:
    """Other configurations by what is other about them; ``longest`` is the long side of the largest picture.

    A side at which the same pixels would be shown is left out. Where pictures are smaller than the smallest
    of the usual sides, half of their own side is tried. A server's image mode and dtype are its own.
    """
    found: dict[str, Configuration] = {}
    mode, dtype = identity.get("image mode"), identity.get("dtype")
    for other in get_args(ImageMode):
        if mode in get_args(ImageMode) and other != mode:
            found[f"image mode {other}"] = replace(reference, image_mode=other)
    shown = min(reference.side, longest)
    sides = [side for side in SIDES if min(side, longest) != shown] if longest > min(SIDES) else [max(1, longest // 2)]
    for side in dict.fromkeys(min(side, longest) for side in sides):
        found[f"side {side} px"] = replace(reference, side=side)
    if dtype is not None and dtype in get_args(DType) and reference.quantisation is None:
        other_dtype = _other(dtype, identity.get("device", "cpu"))
        found[f"dtype {other_dtype}"] = replace(reference, dtype=other_dtype)
    if against is not None:
        device = None if is_address(against) else reference.device
        found[f"critic {against}"] = Configuration(
            against, None, device, None, reference.batch, reference.concurrency, None, reference.side
        )
    return found


def _other(dtype: str, device: str) -> DType:
    """Single precision against half; on a GPU the two halves, since a large model may not fit in single."""
    if dtype == "float32":
        return "bfloat16"
    if device == "cpu":
        return "float32"
    return "float16" if dtype == "bfloat16" else "bfloat16"
