"""Which LoRAs a merge takes: those that fit its base and hold a content or a style; exceptions are the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lorarar.families import Base
from lorarar.lora.adapter import Adapter
from lorarar.lora.few_steps import check_many_steps
from lorarar.lora.fit import check_fit, without_missing


@dataclass(frozen=True)
class Admission:
    """What a merge takes although it would refuse it; nothing, unless the user says so."""

    anyway: bool = False  # LoRAs for few steps
    drop_missing: bool = False  # LoRAs of which the base lacks layers, without these

    def admit(self, adapter: Adapter, lora: Path, base: Base) -> Adapter:
        """The adapter as it enters the merge: whole, or without layers that the base lacks.

        Args:
            adapter: that was read from ``lora``.
            lora: its file or folder, of which the name is a hint.
            base: of the merge.

        Raises:
            AdapterError: it does not fit the base, or is one for few steps.
            BaseError: a file of the base is broken.
        """
        if not self.anyway:
            check_many_steps(adapter, lora)
        admitted = without_missing(adapter, base) if self.drop_missing else adapter
        check_fit(admitted, base)
        return admitted


STRICT = Admission()
