"""How alike concepts are, by their LoRAs and by their pictures, and how diverse a set of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.similarity import cosines
from lorarar.pictures.folders import find_images
from lorarar.pictures.references import references_folder

if TYPE_CHECKING:
    from judge.metrics.features import Features
    from lorarar.families import Base

Floats = NDArray[np.float64]
Side = Literal["contents", "styles"]
#: By which metric's features pictures of a side are compared: what a subject is by DINO, what a style is by CLIP.
METRIC_OF: Mapping[Side, str] = {"contents": "dino", "styles": "clip-i"}
PLACES = 5


@dataclass(frozen=True)
class Likeness:
    """Cosines of concepts of one side with one another, by the updates of their LoRAs and by their pictures."""

    names: Sequence[str]
    by_lora: Floats  # (concepts, concepts)
    by_pictures: Floats

    @classmethod
    def of(cls, loras: Mapping[str, Path], side: Side, base: Base) -> Likeness:
        """The likeness of LoRAs whose pictures lie beside them.

        Raises:
            AdapterError, ImageError, MetricError: something cannot be read or seen.
        """
        alike = cosines([read_adapter_for(base, file) for file in loras.values()]).numpy()
        pictures = {name: find_images(references_folder(file)) for name, file in loras.items()}
        seen = _features(side, base).of(path for paths in pictures.values() for path in paths)
        means = np.stack([np.mean([seen[path] for path in paths], axis=0) for paths in pictures.values()])
        means = means.astype(np.float64) / np.linalg.norm(means, axis=1, keepdims=True)
        return cls([*loras], alike, means @ means.T)

    def nearest(self, name: str, others: Sequence[str], by: str) -> tuple[str, float]:
        """The concept among others, itself left out, that is most like one, and its distance, one less the cosine."""
        table, places = getattr(self, by), [self.names.index(other) for other in others if other != name]
        row = table[self.names.index(name), places]
        best = int(np.argmax(row))
        return self.names[places[best]], float(1 - row[best])

    def mean_distance(self, name: str, others: Sequence[str], by: str) -> float:
        """The mean distance of a concept from others, itself left out."""
        places = [self.names.index(other) for other in others if other != name]
        return float(1 - getattr(self, by)[self.names.index(name), places].mean())

    def diversity(self, names: Sequence[str], by: str) -> float:
        """How many concepts that have nothing in common a set is as diverse as: Vendi's score, the exponential of the
        entropy of the eigenvalues of its cosines (Friedman and Dieng, 2023); from 1 to how many there are.
        """
        places = [self.names.index(name) for name in names]
        values = np.linalg.eigvalsh(getattr(self, by)[np.ix_(places, places)] / len(places))
        values = values[values > 1e-12]
        return float(np.exp(-(values * np.log(values)).sum()))

    def record(self) -> dict[str, Any]:
        """The likeness as JSON has it."""
        tables = {by: np.round(getattr(self, by), PLACES).tolist() for by in BY}
        return {"names": [*self.names], **tables}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Likeness:
        """The likeness of a record."""
        return cls(record["names"], *(np.array(record[by]) for by in BY))


#: What concepts are compared by, in words.
BY: Mapping[str, str] = {"by_lora": "by LoRA", "by_pictures": "by pictures"}


def _features(side: Side, base: Base) -> Features:
    """The features of the base's customary backbone of a side's metric."""
    from judge.metrics.features import Features
    from judge.metrics.instruments import Instruments
    from judge.metrics.table import METRICS
    from judge.targets import Target

    nothing = Target(Path(), "", "", "", (), (), "", "", base=base.name)
    ((features, _),) = Instruments({}).of(METRICS[METRIC_OF[side]], [nothing])
    return cast(Features, features)
