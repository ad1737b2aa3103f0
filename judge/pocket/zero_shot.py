"""What Pocket's CLIP names in true pictures: the nearest of all captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judge.metrics.backbone import Backbone
from judge.pocket.clip import CAPTIONS
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.ground_truth import true_picture
from lorarar.pocket.training_pictures import STYLE_FAMILIES


def zero_shot(backbone: Backbone, subjects: Sequence[Subject], styles: Sequence[Style]) -> dict[str, float]:
    """Shares of true cells whose nearest caption, of all classes in all families, has the right class and family.

    Also of those whose class has the nearest captions on average over the families, as CLIP's authors ask it.
    """
    cells = [(subject, style) for subject in subjects for style in styles]
    cosines = backbone.images([true_picture(*cell) for cell in cells]) @ backbone.texts(CAPTIONS).T
    cosines = cosines.reshape(len(cells), len(CLASS_NAMES), len(STYLE_FAMILIES))[:, :, 1:]  # no cell is plain
    nearest = [np.unravel_index(row.argmax(), row.shape) for row in cosines]
    right_class = [CLASS_NAMES[k] == subject.class_name for (k, _), (subject, _) in zip(nearest, cells, strict=True)]
    on_average = [CLASS_NAMES[k] == s.class_name for k, (s, _) in zip(cosines.mean(2).argmax(1), cells, strict=True)]
    right_family = [STYLE_FAMILIES[k + 1] == style.family for (_, k), (_, style) in zip(nearest, cells, strict=True)]
    return {
        "class_right": round(float(np.mean(right_class)), 4),
        "class_right_on_average": round(float(np.mean(on_average)), 4),
        "family_right": round(float(np.mean(right_family)), 4),
        "cells": len(cells),
    }
