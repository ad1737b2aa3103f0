"""The pictures of Pocket's test grid, measured by the probe and against the true pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from PIL import Image

from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.difference import mean_squared_difference
from lorarar.pocket.ground_truth import true_picture
from lorarar.pocket.image_tensors import image_to_tensor
from lorarar.pocket.probe import load_probe
from lorarar.pocket.training_pictures import STYLE_FAMILIES
from lorarar.store.queries import Pair
from lorarar.util.grouping import group_by
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import difference_over_pairs, over_pairs


@dataclass(frozen=True)
class GridPicture:
    """One picture of the grid."""

    row: str
    subject: Subject
    style: Style
    seed: int
    image: Image.Image

    @property
    def pair(self) -> Pair:
        """The subject and the style it should show."""
        return self.subject.name, self.style.name

    @cached_property
    def squared_difference(self) -> float:
        """Its mean squared difference to the true picture, which is rendered once."""
        return mean_squared_difference(self.image, true_picture(self.subject, self.style))


def measure(pictures: Sequence[GridPicture]) -> dict[str, Interval]:
    """The shares whose class and style family the probe predicts, and the root mean squared difference to the truth."""
    images = torch.stack([image_to_tensor(picture.image) for picture in pictures])
    classes, families = (labels.tolist() for labels in load_probe().predict(images))
    right_class = [CLASS_NAMES[k] == p.subject.class_name for k, p in zip(classes, pictures, strict=True)]
    right_family = [STYLE_FAMILIES[k] == p.style.family for k, p in zip(families, pictures, strict=True)]
    pairs = [picture.pair for picture in pictures]
    squares = means_by_pair(pairs, [picture.squared_difference for picture in pictures])
    return {
        "class": over_pairs(means_by_pair(pairs, right_class)),
        "family": over_pairs(means_by_pair(pairs, right_family)),
        "difference": over_pairs(squares, np.sqrt),
    }


def compare(pictures: Sequence[GridPicture], others: Sequence[GridPicture]) -> Interval:
    """By how much a row's difference to the truth exceeds another's, pair by pair: below 0 it is nearer.

    Raises:
        ValueError: the rows are of different pairs, or of none.
    """
    ours, theirs = _difference_by_pair(pictures), _difference_by_pair(others)
    difference = difference_over_pairs(ours, theirs)
    if difference is None or ours.keys() != theirs.keys():
        raise ValueError("the rows are of different pairs")
    return difference


def _difference_by_pair(pictures: Sequence[GridPicture]) -> dict[Pair, float]:
    """Root mean squared difference to the truth of each pair."""
    squares = means_by_pair([p.pair for p in pictures], [p.squared_difference for p in pictures])
    return {pair: square**0.5 for pair, square in squares.items()}


def means_by_pair(pairs: Sequence[Pair], values: Sequence[float]) -> dict[Pair, float]:
    """The mean of each pair's pictures, from every picture's pair and value."""
    groups = group_by(zip(pairs, values, strict=True), lambda row: row[0])
    return {pair: float(np.mean([value for _, value in rows])) for pair, rows in groups.items()}
