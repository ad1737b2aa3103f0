"""How a critic is run for the check."""

from __future__ import annotations

from dataclasses import dataclass

from judge.critics import Critic, find_critic
from judge.critics.settings import DType, ImageMode, LocalSettings, Quantisation, ServedSettings


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
