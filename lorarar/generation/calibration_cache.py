"""Moments of calibrated LoRAs, kept on disk: none depends on a partner, so N LoRAs cost N calibrations.

At SDXL's size a file has 0.4 GB for the linear layers of attention, 1.1 GB with feed-forward layers: query, key and
value of self-attention read the same, all keys and values of cross-attention the prompt, and each has one moment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from lorarar.generation.input_moments import InputMoment, InputMoments
from lorarar.lora.header import provenance_of
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import AdapterError
from lorarar.util.files import cache_folder

Facts = Mapping[str, object]  # all that decides a calibration
FORM = 1  # of a file
DIGITS = 40  # of the digest in a file's name


class CalibrationCache:
    """Moments by the digest of what decides them; a broken or missing file is made again."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder("calibrations")

    def path(self, facts: Facts) -> Path:
        """Where the moments of these facts are kept."""
        return self.folder / f"{FORM}-{digest_of_facts(facts)[:DIGITS]}.safetensors"

    def read(self, facts: Facts) -> InputMoments | None:
        """The moments that are kept; None where there are none, or none that are sound."""
        path = self.path(facts)
        if not path.exists():
            return None
        try:
            tensors, metadata = read_tensors(path, AdapterError)
            notes = provenance_of(metadata)
            if digest_of_facts(notes["facts"]) != digest_of_facts(facts):
                return None
            moments = {
                key: InputMoment(tensors[key], int(tokens), int(columns), math.ldexp(1.0, int(exponent)))
                for key, (tokens, columns, exponent) in notes["moments"].items()
            }
            read = {layer: moments[key] for layer, key in notes["layers"].items()}
        except (AdapterError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None
        return read if all(moment.is_sound for moment in moments.values()) else None

    def write(self, facts: Facts, moments: InputMoments) -> None:
        """Keep moments, whole or not at all; one that layers share is written once, under the first one's name.

        Raises:
            AdapterError: the file cannot be written.
        """
        first: dict[int, str] = {}
        layers = {layer: first.setdefault(id(moment), layer) for layer, moment in moments.items()}
        kept = {key: moments[key] for key in first.values()}
        notes = {
            "facts": facts,
            "layers": layers,
            "moments": {key: (one.tokens, one.columns, int(math.log2(one.scale))) for key, one in kept.items()},
        }
        save_tensors({key: one.packed for key, one in kept.items()}, self.path(facts), notes)
